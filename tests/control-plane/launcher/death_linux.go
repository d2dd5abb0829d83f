package main

import "syscall"

// prSetParentDeathSignal is PR_SET_PDEATHSIG of prctl(2).
const prSetParentDeathSignal = 1

// serverAttributes: the kernel kills a server when we die, even by SIGKILL.
func serverAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// commandAttributes: the command stays in the terminal's foreground group, and is asked to end when we die.
func commandAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}

// dieWithParent has the kernel send us a signal when our own parent dies.
func dieWithParent(signal syscall.Signal) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetParentDeathSignal, uintptr(signal), 0); errno != 0 {
		return errno
	}
	return nil
}
