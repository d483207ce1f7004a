package openid_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/openid"
	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// issuer is an OpenID provider that says of everybody what a test wants.
type issuer struct {
	*httptest.Server

	t         *testing.T
	key       *rsa.PrivateKey
	claims    map[string]any // of the next token
	signer    *rsa.PrivateKey
	alg       string
	challenge string // that the browser has brought
	secret    string // that the server has shown
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	testkit.Must(t, err)
	s := &issuer{t: t, key: key, signer: key, alg: "RS256"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, map[string]any{
			"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k", "n": b64(s.key.N.Bytes()), "e": b64(big.NewInt(int64(s.key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", s.token)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (s *issuer) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	testkit.Must(s.t, json.NewEncoder(w).Encode(v))
}

// token checks the verifier of PKCE, as a provider must.
func (s *issuer) token(w http.ResponseWriter, r *http.Request) {
	_, s.secret, _ = r.BasicAuth()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if r.PostFormValue("code") != "the-code" || b64(sum[:]) != s.challenge {
		w.WriteHeader(http.StatusBadRequest)
		s.answer(w, map[string]any{"error": "invalid_grant", "error_description": "secret-of-the-provider"})
		return
	}
	s.answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": s.sign()})
}

func (s *issuer) sign() string {
	header, err := json.Marshal(map[string]string{"alg": s.alg, "kid": "k", "typ": "JWT"})
	testkit.Must(s.t, err)
	body, err := json.Marshal(s.claims)
	testkit.Must(s.t, err)
	text := b64(header) + "." + b64(body)
	if s.alg == "none" {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.signer, crypto.SHA256, sum[:])
	testkit.Must(s.t, err)
	return text + "." + b64(signature)
}

func (s *issuer) provider() *openid.Provider {
	return openid.New(openid.Options{
		Issuer: s.URL, ClientID: "baler", ClientSecret: "hush", Redirect: "https://baler.example.org/login/openid/callback",
		Scopes: []string{"groups"}, RoleClaim: "groups",
		Roles: map[accounts.Role][]string{accounts.Viewer: {"staff"}, accounts.Submitter: {"scanners"}, accounts.Operator: {"it", "archive"}},
	}, s.Client())
}

// begin is what the browser does until it comes back.
func (s *issuer) begin(p *openid.Provider) (openid.Flow, url.Values) {
	s.t.Helper()
	flow, address, err := p.Begin(s.t.Context())
	testkit.Must(s.t, err)
	u, err := url.Parse(address)
	testkit.Must(s.t, err)
	q := u.Query()
	s.challenge = q.Get("code_challenge")
	s.claims = map[string]any{
		"iss": s.URL, "aud": "baler", "sub": "4711", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
		"nonce": q.Get("nonce"), "preferred_username": "ada", "groups": []string{"staff", "archive", "x"},
	}
	return flow, q
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	p := s.provider()
	flow, q := s.begin(p)
	if q.Get("state") != flow.State || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" ||
		q.Get("scope") != "openid profile groups" || q.Get("redirect_uri") != "https://baler.example.org/login/openid/callback" ||
		strings.Contains(q.Encode(), flow.Verifier) {
		t.Errorf("the browser is sent with %v", q)
	}
	other, _, err := p.Begin(t.Context())
	if err != nil || other.State == flow.State || other.Nonce == flow.Nonce || other.Verifier == flow.Verifier || len(flow.State) < 40 {
		t.Errorf("two flows are alike: %+v, %+v, %v", flow, other, err)
	}
	name, role, err := p.End(t.Context(), flow, q.Get("state"), "the-code")
	if err != nil || name != "ada" || role != accounts.Operator || s.secret != "hush" {
		t.Errorf("%q, %q, %v; the provider was shown %q", name, role, err, s.secret)
	}
}

func TestForgedLogins(t *testing.T) {
	t.Parallel()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	testkit.Must(t, err)
	for name, c := range map[string]struct {
		change func(s *issuer, f *openid.Flow, state, code *string)
		want   error
	}{
		"another state":      {func(_ *issuer, _ *openid.Flow, state, _ *string) { *state = "x" }, openid.ErrRefused},
		"no flow":            {func(_ *issuer, f *openid.Flow, state, _ *string) { *f, *state = openid.Flow{}, "" }, openid.ErrRefused},
		"another code":       {func(_ *issuer, _ *openid.Flow, _, code *string) { *code = "stolen" }, openid.ErrRefused},
		"another verifier":   {func(_ *issuer, f *openid.Flow, _, _ *string) { f.Verifier += "x" }, openid.ErrRefused},
		"another nonce":      {func(s *issuer, _ *openid.Flow, _, _ *string) { s.claims["nonce"] = "x" }, openid.ErrRefused},
		"no nonce":           {func(s *issuer, _ *openid.Flow, _, _ *string) { delete(s.claims, "nonce") }, openid.ErrRefused},
		"another key":        {func(s *issuer, _ *openid.Flow, _, _ *string) { s.signer = stranger }, openid.ErrRefused},
		"no signature":       {func(s *issuer, _ *openid.Flow, _, _ *string) { s.alg = "none" }, openid.ErrRefused},
		"HMAC by public key": {func(s *issuer, _ *openid.Flow, _, _ *string) { s.alg = "HS256" }, openid.ErrRefused},
		"another issuer":     {func(s *issuer, _ *openid.Flow, _, _ *string) { s.claims["iss"] = "https://evil.example" }, openid.ErrRefused},
		"another client":     {func(s *issuer, _ *openid.Flow, _, _ *string) { s.claims["aud"] = "wiki" }, openid.ErrRefused},
		"expired":            {func(s *issuer, _ *openid.Flow, _, _ *string) { s.claims["exp"] = time.Now().Add(-time.Hour).Unix() }, openid.ErrRefused},
		"no role":            {func(s *issuer, _ *openid.Flow, _, _ *string) { s.claims["groups"] = "guests" }, openid.ErrNoRole},
		"no claim":           {func(s *issuer, _ *openid.Flow, _, _ *string) { delete(s.claims, "groups") }, openid.ErrNoRole},
		"a wrong claim":      {func(s *issuer, _ *openid.Flow, _, _ *string) { s.claims["groups"] = []any{7, map[string]any{}} }, openid.ErrNoRole},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newIssuer(t)
			p := s.provider()
			flow, q := s.begin(p)
			state, code := q.Get("state"), "the-code"
			c.change(s, &flow, &state, &code)
			_, role, err := p.End(t.Context(), flow, state, code)
			if !errors.Is(err, c.want) || role != accounts.Nobody {
				t.Errorf("%q, %v", role, err)
			}
			if strings.Contains(fmt.Sprint(err), "hush") || strings.Contains(fmt.Sprint(err), "secret-of") || strings.Contains(fmt.Sprint(err), flow.Verifier+"x") {
				t.Errorf("the error has a secret: %v", err)
			}
		})
	}
}

// A provider that is away when the server starts is found later.
func TestAProviderThatIsAway(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	p := s.provider()
	handler := s.Config.Handler
	s.Config.Handler = http.NotFoundHandler()
	if _, _, err := p.Begin(t.Context()); err == nil || errors.Is(err, openid.ErrRefused) {
		t.Errorf("%v", err)
	}
	s.Config.Handler = handler
	if _, _, err := p.Begin(t.Context()); err != nil {
		t.Error(err)
	}
}
