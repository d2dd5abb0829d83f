package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// How long a command may clean up after a signal before it is ended.
const commandGrace = 20 * time.Second

// runCommand runs the command against this control plane and returns its exit code.
func (p *plane) runCommand(command []string, signals <-chan os.Signal) (int, error) {
	// Looked up on the command's PATH, not on ours: `-- kubectl …` means the one of these assets.
	path := p.assets + string(os.PathListSeparator) + os.Getenv("PATH")
	if err := os.Setenv("PATH", path); err != nil {
		return 1, err
	}
	process := exec.Command(command[0], command[1:]...)
	process.Stdin, process.Stdout, process.Stderr = os.Stdin, os.Stdout, os.Stderr
	process.Env = append(os.Environ(), "KUBECONFIG="+p.path("kubeconfig"), "KUBEBUILDER_ASSETS="+p.assets)
	process.SysProcAttr = commandAttributes()
	if err := process.Start(); err != nil {
		return 127, err
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	return p.follow(process, ended, signals)
}

// follow waits for the command, hands signals on, and ends it when a server dies under it.
func (p *plane) follow(process *exec.Cmd, ended <-chan error, signals <-chan os.Signal) (int, error) {
	var overdue <-chan time.Time
	var failure error
	for {
		select {
		case err := <-ended:
			if failure != nil {
				return 1, failure
			}
			return exitCode(err)
		case received := <-signals:
			// Ctrl-C reaches the whole foreground group by itself; a second one would cut the command's own cleaning up short.
			if received != syscall.SIGINT {
				_ = process.Process.Signal(received)
			}
			overdue = time.After(commandGrace)
		case dead := <-p.deaths:
			failure = fmt.Errorf("%s ended by itself:\n%s", dead.name, dead.lastWords())
			_ = process.Process.Signal(syscall.SIGTERM)
			overdue = time.After(commandGrace)
		case <-overdue:
			_ = process.Process.Kill()
		}
	}
}

// exitCode follows the shell: 128 and the signal's number for a command that a signal ended.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return 1, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
