package absfin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	absfin "example.com/abs-finance/clients/go"
	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// selfSigned writes a certificate that is its own authority, and its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certificate, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func TestTLSInBothDirections(t *testing.T) {
	certificate, key := selfSigned(t)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	callers := x509.NewCertPool()
	callers.AddCert(pair.Leaf)
	encrypted := credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: callers, ClientAuth: tls.RequireAndVerifyClientCert,
	})
	address := serve(t, func(server *grpc.Server) {
		absfinancev1.RegisterOptimizationServiceServer(server, &recorder{})
	}, grpc.Creds(encrypted))
	for name, trial := range map[string]struct {
		option absfin.Option
		works  bool
	}{
		"own authority and certificate": {absfin.WithTLSFiles(certificate, certificate, key), true},
		"no certificate":                {absfin.WithTLSFiles(certificate, "", ""), false},
		"authorities of this machine":   {absfin.WithTLS(nil), false},
	} {
		client := connect(t, address, trial.option, absfin.WithTimeout(5*time.Second))
		_, err := client.Optimization.Optimize(t.Context(), &absfinancev1.OptimizeRequest{})
		if (err == nil) != trial.works {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := absfin.Connect(address, absfin.WithTLSFiles(key, "", "")); err == nil {
		t.Error("a key was taken for an authority")
	}
}
