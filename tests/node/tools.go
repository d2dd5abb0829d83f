//go:build tools

// Package tools names the commands this module exists for besides its own, so that `go mod tidy` keeps their exact versions.
// The control plane's module would do, but for each change of it that is compiled anew on every machine.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
