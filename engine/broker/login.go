package broker

import (
	"crypto/tls"
	"crypto/x509"

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
		opts = append(opts, nats.UserCredentials(cfg.Credentials))
	case cfg.NKeySeed != "":
		opt, err := nats.NkeyOptionFromSeed(cfg.NKeySeed)
		if err != nil {
			return nil, configError("NKey seed file %s: %w", cfg.NKeySeed, err)
		}
		opts = append(opts, opt)
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

func tlsOptions(cfg Config, opts []nats.Option) ([]nats.Option, error) {
	if cfg.CA != "" {
		pem, err := userfile.ReadFile(cfg.CA)
		if err != nil {
			return nil, configError("CA file: %w", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			return nil, configError("CA file %s: no PEM certificate in it", cfg.CA)
		}
		opts = append(opts, nats.RootCAs(cfg.CA))
	}
	if cfg.Cert != "" {
		if _, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key); err != nil {
			return nil, configError("certificate %s with key %s: %w", cfg.Cert, cfg.Key, err)
		}
		opts = append(opts, nats.ClientCert(cfg.Cert, cfg.Key))
	}
	return opts, nil
}
