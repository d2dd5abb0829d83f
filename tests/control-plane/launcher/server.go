package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"
)

// How much of a server's log is quoted when it dies.
const lastWordsLimit = 4000

// server is one running process of the control plane.
type server struct {
	name    string
	logPath string
	process *exec.Cmd
	ended   chan struct{}
	killed  atomic.Bool
}

// startServer must be called on the main thread (see init). The server gets a process group of its own, so that Ctrl-C
// on a terminal reaches the command that uses the control plane first, and a death with us.
func startServer(path string, arguments []string, logPath string, deaths chan<- *server) (*server, error) {
	output, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	process := exec.Command(path, arguments...)
	process.Stdout, process.Stderr = output, output
	process.SysProcAttr = serverAttributes()
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	s := &server{name: filepath.Base(path), logPath: logPath, process: process, ended: make(chan struct{})}
	go func() {
		_ = process.Wait()
		close(s.ended)
		if !s.killed.Load() {
			deaths <- s
		}
	}()
	return s, nil
}

// hasEnded says whether the process is gone.
func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// kill ends the process and waits until the kernel has taken it away.
func (s *server) kill() {
	s.killed.Store(true)
	_ = s.process.Process.Kill()
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		fmt.Fprintf(os.Stderr, "control-plane: %s does not end\n", s.name)
	}
}

// lastWords is the end of the server's log.
func (s *server) lastWords() string {
	text, err := os.ReadFile(s.logPath)
	if err != nil {
		return err.Error()
	}
	if len(text) > lastWordsLimit {
		text = text[len(text)-lastWordsLimit:]
	}
	return string(bytes.TrimSpace(text))
}
