package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// How long the whole may take to come up: 4 s on an idle machine, so this is for one that is busy compiling.
const startLimit = 4 * time.Minute

// A socket path longer than this does not fit the kernel's address structure (108 bytes on Linux, 104 on macOS).
const longestSocketPath = 100

var errInterrupted = errors.New("interrupted")

// interruption is what may end the wait for a start that is under way.
type interruption struct {
	signals <-chan os.Signal
	closed  <-chan struct{}
}

// plane is one control plane: its folder, its credentials and its servers.
type plane struct {
	dir     string
	keepDir bool
	assets  string
	tokens  tokens
	port    int
	servers []*server
	deaths  chan *server
}

// newPlane prepares folder, certificates and tokens; nothing runs yet.
func newPlane(dir, assets string) (*plane, error) {
	var err error
	if assets == "" {
		if assets, err = defaultAssets(); err != nil {
			return nil, err
		}
	}
	keep := dir != ""
	if dir, err = makeDir(dir); err != nil {
		return nil, err
	}
	p := &plane{dir: dir, keepDir: keep, assets: assets, deaths: make(chan *server, 8)}
	if err := p.prepare(); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// makeDir returns an absolute folder only we may read: the admin's token and etcd's socket lie in it.
func makeDir(dir string) (string, error) {
	if dir == "" {
		removeLeftovers()
		dir, err := os.MkdirTemp("", temporaryPattern)
		if err != nil {
			return "", err
		}
		return dir, lockDir(dir)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if len(filepath.Join(dir, "etcd-peer.sock")) > longestSocketPath {
		return "", fmt.Errorf("--dir %s is too long a path for the sockets in it", dir)
	}
	return dir, os.MkdirAll(dir, 0o700)
}

func (p *plane) prepare() error {
	// Each run begins empty, also in a folder that an earlier run left behind.
	if err := os.RemoveAll(p.path("etcd")); err != nil {
		return err
	}
	if err := writeCertificates(p.dir); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	var err error
	p.tokens, err = newTokens(p.path("tokens.csv"))
	return err
}

// start brings the servers up one after the other and returns when the first namespace has its service account.
func (p *plane) start(stop interruption) error {
	if _, err := p.launch("etcd", etcdArguments(p)); err != nil {
		return err
	}
	deadline := time.Now().Add(startLimit)
	if err := p.startAPIServer(deadline, stop); err != nil {
		return err
	}
	if err := writeKubeconfig(p.path("controller-manager.kubeconfig"), p, p.tokens.controllers); err != nil {
		return err
	}
	if err := writeKubeconfig(p.path("kubeconfig"), p, p.tokens.admin); err != nil {
		return err
	}
	if _, err := p.launch("kube-controller-manager", controllerManagerArguments(p)); err != nil {
		return err
	}
	return p.await("/api/v1/namespaces/default/serviceaccounts/default", deadline, stop)
}

// startAPIServer tries ports until one is really free: between our choosing it and the server's binding it another
// process may have taken it.
func (p *plane) startAPIServer(deadline time.Time, stop interruption) error {
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		p.port = port
		apiServer, err := p.launch("kube-apiserver", apiServerArguments(p))
		if err != nil {
			return err
		}
		err = p.await("/readyz", deadline, stop)
		if err == nil || attempt == 5 || !strings.Contains(apiServer.lastWords(), "address already in use") {
			return err
		}
		p.forget(apiServer)
	}
}

// launch starts one server of the assets folder; its output goes to a file of its name.
func (p *plane) launch(name string, arguments []string) (*server, error) {
	s, err := startServer(filepath.Join(p.assets, name), arguments, p.path(name+".log"), p.deaths)
	if err != nil {
		return nil, err
	}
	p.servers = append(p.servers, s)
	return s, nil
}

// forget takes a server that failed to start off the list of those to stop.
func (p *plane) forget(dead *server) {
	kept := p.servers[:0]
	for _, s := range p.servers {
		if s != dead {
			kept = append(kept, s)
		}
	}
	p.servers = kept
}

// stop kills every server, last started first, and removes the folder unless the caller named it. Killed rather than
// asked: their state is thrown away, and a graceful kube-apiserver waits a minute for its watches.
func (p *plane) stop() {
	for i := len(p.servers) - 1; i >= 0; i-- {
		p.servers[i].kill()
	}
	p.servers = nil
	remove := p.dir
	if p.keepDir {
		remove = p.path("etcd")
	}
	if err := os.RemoveAll(remove); err != nil {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
	}
}

func (p *plane) path(name string) string { return filepath.Join(p.dir, name) }

func (p *plane) server() string { return fmt.Sprintf("https://127.0.0.1:%d", p.port) }

// freePort asks the kernel for one and gives it back at once.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
