//go:build tools

// Package tools names the commands this module exists for, so that `go mod tidy` keeps their exact versions in go.mod and
// go.sum. It is never compiled: build.sh builds the commands straight from their packages.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "helm.sh/helm/v4/cmd/helm"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
