package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"penstock/internal/testing/natsserver"
)

func itoa(n int) string { return strconv.Itoa(n) }

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestNKey(t *testing.T) {
	t.Parallel()
	pair := must[nkeys.KeyPair](t)(nkeys.CreateUser())
	public := must[string](t)(pair.PublicKey())
	seed := must[[]byte](t)(pair.Seed())
	s := natsserver.Start(t, func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public}} })
	roundTrip(t, open(t, Config{URL: s.ClientURL(), NKeySeed: write(t, "user.nk", seed)}))
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	operator := must[nkeys.KeyPair](t)(nkeys.CreateOperator())
	account := must[nkeys.KeyPair](t)(nkeys.CreateAccount())
	user := must[nkeys.KeyPair](t)(nkeys.CreateUser())
	public := must[string](t)

	oc := jwt.NewOperatorClaims(public(operator.PublicKey()))
	ojwt := public(oc.Encode(operator))
	ac := jwt.NewAccountClaims(public(account.PublicKey()))
	ac.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
	ajwt := public(ac.Encode(operator))
	ujwt := public(jwt.NewUserClaims(public(user.PublicKey())).Encode(account))
	creds := must[[]byte](t)(jwt.FormatUserConfig(ujwt, must[[]byte](t)(user.Seed())))

	system := must[nkeys.KeyPair](t)(nkeys.CreateAccount())
	sjwt := public(jwt.NewAccountClaims(public(system.PublicKey())).Encode(operator))

	s := natsserver.Start(t, func(o *server.Options) {
		o.SystemAccount = public(system.PublicKey())
		o.TrustedOperators = []*jwt.OperatorClaims{must[*jwt.OperatorClaims](t)(jwt.DecodeOperatorClaims(ojwt))}
		resolver := &server.MemAccResolver{}
		for key, token := range map[nkeys.KeyPair]string{account: ajwt, system: sjwt} {
			if err := resolver.Store(public(key.PublicKey()), token); err != nil {
				t.Fatal(err)
			}
		}
		o.AccountResolver = resolver
	})
	roundTrip(t, open(t, Config{URL: s.ClientURL(), Credentials: write(t, "user.creds", creds)}))
}

// authority issues certificates for 127.0.0.1.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	file := write(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return &authority{cert: must[*x509.Certificate](t)(x509.ParseCertificate(der)), key: key, file: file}
}

func (a *authority) issue(t *testing.T, serial int64) (cert, key string) {
	pair := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, a.cert, &pair.PublicKey, a.key))
	keyDER := must[[]byte](t)(x509.MarshalECPrivateKey(pair))
	cert = write(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	key = write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
	return cert, key
}

func TestTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert, key := a.issue(t, 2)
	clientCert, clientKey := a.issue(t, 3)
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	s := natsserver.Start(t, func(o *server.Options) {
		o.TLSTimeout = 10
		o.TLSConfig = &tls.Config{
			Certificates: []tls.Certificate{must[tls.Certificate](t)(tls.LoadX509KeyPair(cert, key))},
			ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12,
		}
	})
	url := "tls://" + s.Addr().String()
	b := open(t, Config{URL: url, CA: a.file, Cert: clientCert, Key: clientKey})
	if state, err := b.Conn().TLSConnectionState(); err != nil || !state.HandshakeComplete {
		t.Fatalf("TLS state: %v", err)
	}
	roundTrip(t, b)

	j := newJournal()
	done := make(chan error, 1)
	ctx, cancel := contextWithCancel(t)
	go func() {
		_, err := Open(ctx, Config{URL: url, Logger: j.logger()})
		done <- err
	}()
	j.await(t, "certificate")
	cancel()
	wantError(t, <-done, nil, "certificate")
}
