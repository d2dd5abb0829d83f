//go:build !linux

package main

import "syscall"

// Only Linux tells a child of its parent's death. Elsewhere a launcher killed by SIGKILL leaves its servers running; every
// other end still takes them down.

func serverAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func commandAttributes() *syscall.SysProcAttr { return nil }

func dieWithParent(syscall.Signal) error { return nil }
