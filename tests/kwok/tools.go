//go:build tools

// Package tools names the command this module exists for, so that `go mod tidy` keeps its exact version. kwok is built on
// another Kubernetes than the one of tests/control-plane, so it has a module of its own.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
