package main

import "strconv"

// The user names RBAC's bootstrap policy knows: the administrators' group comes with the token, the controller manager
// is bound by its name.
const (
	adminUser       = "control-plane-admin"
	controllerUser  = "system:kube-controller-manager"
	serviceIssuer   = "https://kubernetes.default.svc.cluster.local"
	serviceNetwork  = "10.0.0.0/24"
	serviceFirstIP  = "10.0.0.1"
	signingKeyFile  = "service-account.key"
	verifyingKeyOut = "service-account.pub"
)

// etcdArguments: sockets in our own folder instead of ports, so that runs cannot collide and nobody else on the machine
// can read the Secrets in it. Durability is of no use to a store that lives as long as a test.
func etcdArguments(p *plane) []string {
	client, peer := "unix://"+p.path("etcd.sock"), "unix://"+p.path("etcd-peer.sock")
	return []string{
		"--data-dir=" + p.path("etcd"),
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
		"--unsafe-no-fsync", "--log-level=warn",
	}
}

// apiServerArguments: RBAC on and service accounts working, as in production. The limits on requests in flight are off
// the way of a bench that applies thousands of objects at once.
func apiServerArguments(p *plane) []string {
	return []string{
		"--etcd-servers=unix://" + p.path("etcd.sock"),
		"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(p.port),
		// Loopback is no valid endpoint of the `kubernetes` Service, and nobody here reaches the API that way.
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
		"--tls-cert-file=" + p.path("server.crt"), "--tls-private-key-file=" + p.path("server.key"),
		"--token-auth-file=" + p.path("tokens.csv"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=" + serviceIssuer,
		"--service-account-key-file=" + p.path(verifyingKeyOut),
		"--service-account-signing-key-file=" + p.path(signingKeyFile),
		"--service-cluster-ip-range=" + serviceNetwork,
		"--allow-privileged=true",
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=4000", "--max-mutating-requests-inflight=2000",
		"--profiling=false",
	}
}

// controllerManagerArguments: without credentials per controller it could not write ReplicaSets under RBAC, and with its
// default request rate it starts five seconds late.
func controllerManagerArguments(p *plane) []string {
	return []string{
		"--kubeconfig=" + p.path("controller-manager.kubeconfig"),
		"--secure-port=0", "--leader-elect=false", "--profiling=false",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + p.path(signingKeyFile), "--root-ca-file=" + p.path("ca.crt"),
		"--kube-api-qps=300", "--kube-api-burst=600",
	}
}
