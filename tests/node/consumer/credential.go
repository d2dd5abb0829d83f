package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

var keys = []string{"clientid", "clientsecret", "tokenurl", "url"}

// read looks anew for each call, as a program does that is to follow its volume.
func read() (map[string]string, error) {
	folder := os.Getenv("CREDENTIAL")
	if folder == "" {
		return fromEnvironment(), nil
	}
	for {
		credential, err := fromFolder(folder)
		if !errors.Is(err, fs.ErrNotExist) {
			return credential, err
		}
		// The kubelet took the folder away in which we were reading; its successor is there already.
		if _, missing := os.Stat(filepath.Join(folder, keys[0])); missing != nil {
			return nil, missing
		}
	}
}

func fromEnvironment() map[string]string {
	credential := map[string]string{}
	for _, key := range keys {
		credential[key] = os.Getenv(key)
	}
	return credential
}

// fromFolder reads all files from one publication. The kubelet exchanges a volume as a whole, behind the link ..data: who
// went by that link for each file could have the client of one credential and the secret of another. Files that are mounted
// by subPath have no such link.
func fromFolder(folder string) (map[string]string, error) {
	if published, err := filepath.EvalSymlinks(filepath.Join(folder, "..data")); err == nil {
		folder = published
	}
	credential := map[string]string{}
	for _, key := range keys {
		value, err := os.ReadFile(filepath.Join(folder, key))
		if err != nil {
			return nil, err
		}
		credential[key] = string(value)
	}
	return credential, nil
}
