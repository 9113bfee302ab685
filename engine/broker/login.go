package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"penstock/internal/userfile"
)

// loginOptions looks into every file now: nats.go reads them at each connect, and a typing error should not look like
// a server that cannot be reached.
func loginOptions(cfg Config) ([]nats.Option, error) {
	var opts []nats.Option
	switch {
	case cfg.Credentials != "":
		if err := checkCredentials(cfg.Credentials); err != nil {
			return nil, err
		}
		opts = append(opts, nats.UserJWT(jwtOf(cfg.Credentials), signerOf(cfg.Credentials)))
	case cfg.NKeySeed != "":
		public, err := publicKeyOf(cfg.NKeySeed)
		if err != nil {
			return nil, configError("NKey seed file %s: %w", cfg.NKeySeed, err)
		}
		opts = append(opts, nats.Nkey(public, signerOf(cfg.NKeySeed)))
	case cfg.User != "":
		opts = append(opts, nats.UserInfo(cfg.User, cfg.Password))
	case cfg.Token != "":
		opts = append(opts, nats.Token(cfg.Token))
	}
	return tlsOptions(cfg, opts)
}

func checkCredentials(file string) error {
	text, err := userfile.ReadFile(file)
	if err != nil {
		return configError("credentials file: %w", err)
	}
	if _, err := nkeys.ParseDecoratedJWT(text); err != nil {
		return configError("credentials file %s: no user JWT in it: %w", file, err)
	}
	pair, err := nkeys.ParseDecoratedUserNKey(text)
	if err != nil {
		return configError("credentials file %s: no user key in it: %w", file, err)
	}
	pair.Wipe()
	return nil
}

// The functions below read a file at each connect, as those of nats.go do, but never wait for a pipe in its place.

func jwtOf(file string) nats.UserJWTHandler {
	return func() (string, error) {
		text, err := userfile.ReadFile(file)
		if err != nil {
			return "", err
		}
		return nkeys.ParseDecoratedJWT(text)
	}
}

func keyPairOf(file string) (nkeys.KeyPair, error) {
	text, err := userfile.ReadFile(file)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return nkeys.ParseDecoratedNKey(text)
}

func publicKeyOf(file string) (string, error) {
	pair, err := keyPairOf(file)
	if err != nil {
		return "", err
	}
	defer pair.Wipe()
	public, err := pair.PublicKey()
	if err == nil && !nkeys.IsValidPublicUserKey(public) {
		err = errors.New("not the seed of a user")
	}
	return public, err
}

func signerOf(file string) nats.SignatureHandler {
	return func(nonce []byte) ([]byte, error) {
		pair, err := keyPairOf(file)
		if err != nil {
			return nil, err
		}
		defer pair.Wipe()
		return pair.Sign(nonce)
	}
}

func authoritiesOf(file string) (*x509.CertPool, error) {
	pem, err := userfile.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no PEM certificate in it", file)
	}
	return pool, nil
}

func certificateOf(cert, key string) (tls.Certificate, error) {
	certPEM, err := userfile.ReadFile(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := userfile.ReadFile(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	defer clear(keyPEM)
	return tls.X509KeyPair(certPEM, keyPEM)
}

func tlsOptions(cfg Config, opts []nats.Option) ([]nats.Option, error) {
	var authorities nats.RootCAsHandler
	if cfg.CA != "" {
		authorities = func() (*x509.CertPool, error) { return authoritiesOf(cfg.CA) }
		if _, err := authorities(); err != nil {
			return nil, configError("CA file: %w", err)
		}
	}
	var certificate nats.TLSCertHandler
	if cfg.Cert != "" {
		certificate = func() (tls.Certificate, error) { return certificateOf(cfg.Cert, cfg.Key) }
		if _, err := certificate(); err != nil {
			return nil, configError("certificate %s with key %s: %w", cfg.Cert, cfg.Key, err)
		}
	}
	if authorities != nil || certificate != nil {
		opts = append(opts, nats.ClientTLSConfig(certificate, authorities))
	}
	return opts, nil
}
