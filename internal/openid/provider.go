// Package openid lets people log in at an OpenID provider: by the code flow with PKCE,
// state and nonce (OpenID Connect Core 1.0, RFC 7636). What the provider says of a person
// becomes a role.
package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/balerhq/baler/internal/accounts"
)

// Options configure a Provider.
type Options struct {
	Issuer       string // its address, as in its tokens
	ClientID     string
	ClientSecret string
	Redirect     string                     // the address of this server's callback
	Scopes       []string                   // besides openid and profile
	RoleClaim    string                     // the claim that Roles are about, a text or a list of texts
	Roles        map[accounts.Role][]string // the values of the claim that give a role; "*" is any person

	Now func() time.Time // nil: time.Now
}

// Provider is an OpenID provider. Make one with New; it connects at the first login.
type Provider struct {
	o      Options
	client *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
	config   *oauth2.Config
}

// timeout is how long the provider may take for an answer.
const timeout = 10 * time.Second

// New makes a Provider. client is for tests; nil: a client with a timeout.
func New(o Options, client *http.Client) *Provider {
	if client == nil {
		client = &http.Client{Timeout: timeout}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Provider{o: o, client: client}
}

// Name is the host of the provider, for people.
func (p *Provider) Name() string {
	_, rest, _ := strings.Cut(p.o.Issuer, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// Flow is a login that has begun. Its values are for one browser, and for one login.
type Flow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Errors of a login.
var (
	// ErrRefused says that the provider's answer does not show who somebody is.
	ErrRefused = errors.New("the OpenID provider's answer is not valid")

	// ErrNoRole says that somebody has logged in whom no setting gives a role.
	ErrNoRole = errors.New("no role")
)

// Begin returns a new flow, and where to send the browser.
func (p *Provider) Begin(ctx context.Context) (f Flow, address string, err error) {
	config, _, err := p.discover(ctx)
	if err != nil {
		return f, "", err
	}
	f.State, f.Nonce = accounts.RandomText(), accounts.RandomText()
	f.Verifier = oauth2.GenerateVerifier()
	return f, config.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), nil
}

// End exchanges the code that the provider has given the browser, and returns who has
// logged in. state is what the browser has brought back.
func (p *Provider) End(ctx context.Context, f Flow, state, code string) (name string, role accounts.Role, err error) {
	if f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 {
		return "", "", fmt.Errorf("%w: it belongs to another login", ErrRefused)
	}
	config, verifier, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if refusal, ok := errors.AsType[*oauth2.RetrieveError](err); ok { // its text has the provider's whole answer
		return "", "", fmt.Errorf("%w: it refuses the code with %d %s", ErrRefused, refusal.Response.StatusCode, refusal.ErrorCode)
	}
	if err != nil {
		return "", "", fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return "", "", fmt.Errorf("%w: it has no id_token", ErrRefused)
	}
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(f.Nonce)) != 1 {
		return "", "", fmt.Errorf("%w: its nonce is that of another login", ErrRefused)
	}
	claims := make(map[string]any)
	if err := token.Claims(&claims); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	name = nameOf(claims, token.Subject)
	role = p.roleOf(claims)
	if role == accounts.Nobody {
		return name, role, ErrNoRole
	}
	return name, role, nil
}

// discover reads the provider's description. It tries again after an error.
func (p *Provider) discover(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.config != nil {
		return p.config, p.verifier, nil
	}
	// The provider keeps the context for reading keys later.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.o.Issuer)
	if err != nil {
		return nil, nil, fmt.Errorf("read the description of the OpenID provider: %w", err)
	}
	p.verifier = provider.Verifier(&oidc.Config{ClientID: p.o.ClientID, Now: p.o.Now})
	p.config = &oauth2.Config{
		ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, Endpoint: provider.Endpoint(), RedirectURL: p.o.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID, "profile"}, p.o.Scopes...),
	}
	return p.config, p.verifier, nil
}

// nameOf is how people know somebody. The subject is the provider's, and unique there.
func nameOf(claims map[string]any, subject string) string {
	for _, claim := range []string{"preferred_username", "email", "name"} {
		if name, ok := claims[claim].(string); ok && strings.TrimSpace(name) != "" {
			return name
		}
	}
	return subject
}

// roleOf is the role with the most rights that the claims give.
func (p *Provider) roleOf(claims map[string]any) accounts.Role {
	var values []string
	switch v := claims[p.o.RoleClaim].(type) {
	case string:
		values = []string{v}
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok {
				values = append(values, s)
			}
		}
	}
	role := accounts.Nobody
	for _, r := range accounts.Roles() { // from the least rights to the most
		for _, wanted := range p.o.Roles[r] {
			if wanted == "*" || slices.Contains(values, wanted) {
				role = r
			}
		}
	}
	return role
}
