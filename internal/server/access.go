package server

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/openid"
	"github.com/balerhq/baler/internal/web"
)

// CheckAccess returns an error when Serve would refuse to listen at an address: other
// hosts could connect, and neither accounts nor a token nor http.insecure say who may.
//
// It also returns an error when the certificate in http.tls cannot be used.
func (b *Backend) CheckAccess(ctx context.Context, at net.Addr) error {
	var o web.Options
	if err := b.readCertificate(&o); err != nil {
		return err
	}
	return b.access(ctx, at, &o)
}

// readCertificate reads the certificate of Serve, unless HTTPS is off.
func (b *Backend) readCertificate(o *web.Options) (err error) {
	if files := b.HTTP.TLS; files.Cert != "" {
		o.Certificate, err = web.LoadCertificate(files.Cert, files.Key, b.Log, b.Now)
	}
	return err
}

// access sets who may use a server at an address, and for what.
func (b *Backend) access(ctx context.Context, at net.Addr, o *web.Options) error {
	cfg := &b.HTTP
	token, err := cfg.ReadToken()
	if err != nil {
		return err
	}
	here := config.Loopback(at)
	o.URL, o.Unasked = strings.TrimSuffix(cfg.URL, "/"), accounts.Operator
	if here && token == "" && !cfg.AskLogin {
		return nil
	}
	people, err := b.Store.AnyAccounts(ctx)
	if err != nil {
		return err
	}
	if cfg.OpenID.Issuer == "" {
		o.Accounts = accounts.NewPresence(people, b.Store.AnyAccounts, b.Now, b.Log)
	}
	switch {
	case people || o.Accounts == nil || token != "":
	case cfg.Insecure && !cfg.AskLogin:
		o.Open, o.Unasked = true, accounts.Viewer
	case here:
		return fmt.Errorf("http.ask_login is set, and there are no accounts: %s", toLetSomebodyIn)
	default:
		return fmt.Errorf("other hosts can connect to %s, and there are neither accounts nor a token: %s, listen on 127.0.0.1, "+
			"or allow everybody to read everything with --insecure", at, toLetSomebodyIn)
	}
	o.Gate = accounts.NewGate(accounts.GateOptions{
		Store: b.Store, Static: token, Idle: cfg.SessionIdle, Life: cfg.SessionLife, Now: b.Now, Log: b.Log,
	})
	o.LoginPage = true
	return b.openID(o)
}

const toLetSomebodyIn = "add a user with 'baler user add NAME --role operator' or a token with 'baler token create NAME', " +
	"set BALER_HTTP_TOKEN (http.token) or BALER_HTTP_TOKEN_FILE"

// openID sets the provider at which people log in.
func (b *Backend) openID(o *web.Options) error {
	cfg := &b.HTTP.OpenID
	if cfg.Issuer == "" {
		return nil
	}
	secret, err := cfg.ReadClientSecret()
	if err != nil {
		return err
	}
	o.OpenID = openid.New(openid.Options{
		Issuer: cfg.Issuer, ClientID: cfg.ClientID, ClientSecret: secret, Redirect: o.URL + "/login/openid/callback",
		Scopes: cfg.Scopes, RoleClaim: cfg.RoleClaim, Now: b.Now,
		Roles: map[accounts.Role][]string{
			accounts.Viewer: cfg.Viewers, accounts.Submitter: cfg.Submitters, accounts.Operator: cfg.Operators,
		},
	}, nil)
	return nil
}
