package main

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	temporaryPattern = "control-plane-"
	lockFile         = "lock"
	// A folder younger than this may belong to a launcher that has not locked it yet.
	settledAge = time.Minute
)

// held keeps the lock's file from being collected, which would close it and give the lock up.
var held *os.File

// lockDir marks a temporary folder as in use for as long as this process lives, however that ends.
func lockDir(dir string) (err error) {
	held, err = os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// removeLeftovers removes the folders of launchers that were killed before they could: some 70 MB each, with an etcd full
// of Secrets.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), temporaryPattern+"*"))
	for _, dir := range dirs {
		if isLeftover(dir) {
			_ = os.RemoveAll(dir)
		}
	}
}

func isLeftover(dir string) bool {
	file, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return false
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil || time.Since(state.ModTime()) < settledAge {
		return false
	}
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
