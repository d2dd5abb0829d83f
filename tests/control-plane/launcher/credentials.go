package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// writeCertificates makes an authority, the API server's certificate and the key that signs service-account tokens. The
// authority's own key is never written: nothing else is to be issued by it.
func writeCertificates(dir string) error {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	authority := certificate("control-plane authority")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	if err := writeCertificate(filepath.Join(dir, "ca.crt"), authority, authority, &authorityKey.PublicKey, authorityKey); err != nil {
		return err
	}
	serverKey, err := writeKey(filepath.Join(dir, "server.key"))
	if err != nil {
		return err
	}
	server := certificate("kube-apiserver")
	server.KeyUsage, server.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(serviceFirstIP)}
	if err := writeCertificate(filepath.Join(dir, "server.crt"), server, authority, &serverKey.PublicKey, authorityKey); err != nil {
		return err
	}
	return writeSigningKey(dir)
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(30 * 24 * time.Hour),
	}
}

func writeCertificate(path string, template, parent *x509.Certificate, public *ecdsa.PublicKey, signer *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return err
	}
	return writePEM(path, "CERTIFICATE", der)
}

func writeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der)
}

func writeSigningKey(dir string) error {
	key, err := writeKey(filepath.Join(dir, signingKeyFile))
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, verifyingKeyOut), "PUBLIC KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// tokens are the bearer tokens of the two users the control plane itself needs.
type tokens struct{ admin, controllers string }

// newTokens draws them and writes kube-apiserver's token file, one line a user.
func newTokens(path string) (tokens, error) {
	admin, err := randomToken()
	if err != nil {
		return tokens{}, err
	}
	controllers, err := randomToken()
	if err != nil {
		return tokens{}, err
	}
	lines := fmt.Sprintf("%s,%s,%s,system:masters\n%s,%s,%s\n",
		admin, adminUser, adminUser, controllers, controllerUser, controllerUser)
	return tokens{admin, controllers}, os.WriteFile(path, []byte(lines), 0o600)
}

func randomToken() (string, error) {
	raw := make([]byte, 24)
	_, err := rand.Read(raw)
	return hex.EncodeToString(raw), err
}

// writeKubeconfig names this API server and one bearer token. The authority is written in: the file alone is enough.
func writeKubeconfig(path string, p *plane, token string) error {
	authority, err := os.ReadFile(p.path("ca.crt"))
	if err != nil {
		return err
	}
	const format = `apiVersion: v1
kind: Config
current-context: control-plane
clusters:
- name: control-plane
  cluster: { server: %q, certificate-authority-data: %s }
users:
- name: control-plane
  user: { token: %q }
contexts:
- name: control-plane
  context: { cluster: control-plane, user: control-plane }
`
	return os.WriteFile(path, fmt.Appendf(nil, format, p.server(), base64.StdEncoding.EncodeToString(authority), token), 0o600)
}
