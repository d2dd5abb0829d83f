// Command control-plane starts a real Kubernetes control plane for one test run or demo and takes all of it down again:
// etcd, kube-apiserver with RBAC and service accounts, and kube-controller-manager for owner references, namespace
// deletion and the default service accounts. It knows nothing of the operator.
//
//	control-plane [--dir DIR] [--assets DIR] [-- COMMAND ARGS…]
//
// With a COMMAND it runs it with KUBECONFIG and PATH set and exits with its code. Without one it prints one line of JSON
// that says where the API server is, and runs until its standard input closes or a signal comes: a parent that dies in
// whatever way closes that pipe, so nothing outlives it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// The servers are started with a parent-death signal, which the kernel ties to the *thread* that started them. Held to
// the main thread, that is the life of this process.
func init() { runtime.LockOSThread() }

// announcement is the line on standard output that a program reads.
type announcement struct {
	Kubeconfig string `json:"kubeconfig"`
	Server     string `json:"server"`
	CAFile     string `json:"caFile"`
	AdminToken string `json:"adminToken"`
	EtcdSocket string `json:"etcdSocket"`
	Assets     string `json:"assets"`
	Dir        string `json:"dir"`
}

func main() {
	dir := flag.String("dir", "", "folder for logs, certificates and kubeconfig, kept afterwards (default: a temporary one, removed)")
	assets := flag.String("assets", "", "folder with etcd, kube-apiserver and kube-controller-manager (default: beside this program)")
	flag.Parse()
	code, err := run(*dir, *assets, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
	}
	os.Exit(code)
}

// run holds the control plane up for as long as it is wanted and returns the exit code.
func run(dir, assets string, command []string) (int, error) {
	// Signals are taken before the first server starts, so that none can end us half way.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	closed := make(chan struct{})
	if len(command) == 0 {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(closed)
		}()
	} else if err := dieWithParent(syscall.SIGTERM); err != nil {
		return 1, err
	}

	plane, err := newPlane(dir, assets)
	if err != nil {
		return 1, err
	}
	defer plane.stop()
	began := time.Now()
	if err := plane.start(interruption{signals: signals, closed: closed}); err != nil {
		if errors.Is(err, errInterrupted) {
			return 130, nil
		}
		return 1, err
	}
	fmt.Fprintf(os.Stderr, "control-plane: ready at %s after %.1f s\n", plane.server(), time.Since(began).Seconds())
	if len(command) > 0 {
		return plane.runCommand(command, signals)
	}
	return plane.hold(signals, closed)
}

// hold announces the control plane and waits for the end: standard input closed, a signal, or a server that died.
func (p *plane) hold(signals <-chan os.Signal, closed <-chan struct{}) (int, error) {
	line, err := json.Marshal(announcement{
		Kubeconfig: p.path("kubeconfig"), Server: p.server(), CAFile: p.path("ca.crt"), AdminToken: p.tokens.admin,
		EtcdSocket: p.path("etcd.sock"), Assets: p.assets, Dir: p.dir,
	})
	if err != nil {
		return 1, err
	}
	if _, err := fmt.Println(string(line)); err != nil {
		return 1, err
	}
	select {
	case <-closed:
		return 0, nil
	case <-signals:
		return 0, nil
	case dead := <-p.deaths:
		return 1, fmt.Errorf("%s ended by itself:\n%s", dead.name, dead.lastWords())
	}
}

// defaultAssets is where this program lies: build.sh puts the servers beside it.
func defaultAssets() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.Dir(self), nil
}
