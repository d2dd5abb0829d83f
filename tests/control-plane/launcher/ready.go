package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// How often a server that is starting is asked whether it has.
const pollInterval = 50 * time.Millisecond

// await asks the API server for a path until it answers 200. The answer is trusted only under our own authority, so a
// stranger who took the port is not mistaken for it.
func (p *plane) await(path string, deadline time.Time, stop interruption) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	var last error
	for time.Now().Before(deadline) {
		if last = p.ask(client, path); last == nil {
			return nil
		}
		for _, s := range p.servers {
			if s.hasEnded() {
				return fmt.Errorf("%s ended while starting:\n%s", s.name, s.lastWords())
			}
		}
		select {
		case <-stop.signals:
			return errInterrupted
		case <-stop.closed:
			return errInterrupted
		case <-time.After(pollInterval):
		}
	}
	return fmt.Errorf("%s%s is not ready after %s: %w", p.server(), path, startLimit, last)
}

func (p *plane) ask(client *http.Client, path string) error {
	request, err := http.NewRequest(http.MethodGet, p.server()+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.tokens.admin)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func (p *plane) client() (*http.Client, error) {
	authority, err := os.ReadFile(p.path("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}, nil
}
