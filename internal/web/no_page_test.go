package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
)

// An address that leads nowhere is a page for people, and stays a short answer for programs.
func TestAnAddressWithoutAPage(t *testing.T) {
	t.Parallel()
	url := serve(t, web.Options{Transfers: stocked(1), Results: hostileResults(1)})
	for _, c := range []struct {
		path, accept string
		page         bool
	}{
		{"/nothing", "text/html,*/*;q=0.8", true}, {"/transfer/1", "text/html", true}, {"/transfers", "text/html", true},
		{"/nothing", "*/*", false}, {"/v1/nothing", "text/html", false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+c.path, http.NoBody)
		testkit.Must(t, err)
		req.Header.Set("Accept", c.accept)
		req.Close = true
		res, err := http.DefaultTransport.RoundTrip(req)
		testkit.Must(t, err)
		body, err := io.ReadAll(res.Body)
		testkit.Must(t, err)
		testkit.Must(t, res.Body.Close())
		if page := strings.Contains(string(body), "There is no page at this address"); res.StatusCode != http.StatusNotFound || page != c.page {
			t.Errorf("%s for %s: %d %s", c.path, c.accept, res.StatusCode, body)
		}
	}
}

// The description of the API has what any operation answers before it begins.
func TestTheDescriptionOfTheAPIHasRefusals(t *testing.T) {
	t.Parallel()
	url := serve(t, web.Options{Transfers: stocked(1), Results: hostileResults(1)})
	_, _, body := get(t, url+"/v1/openapi.json")
	var described struct {
		Info struct {
			License struct {
				Identifier string `json:"identifier"`
			} `json:"license"`
		} `json:"info"`
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]any `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
	}
	testkit.Must(t, json.Unmarshal([]byte(body), &described))
	operations := 0
	for path, methods := range described.Paths {
		for method, op := range methods {
			operations++
			for _, status := range []string{"401", "403", "429"} {
				if _, ok := op.Responses[status].Content["application/problem+json"]; !ok {
					t.Errorf("%s %s has no answer %s", method, path, status)
				}
			}
		}
	}
	if operations < 5 || described.Info.License.Identifier != "Apache-2.0" {
		t.Errorf("%d operations, license %+v", operations, described.Info.License)
	}
	http.DefaultClient.CloseIdleConnections()
}

// The address of a button exists, and says that it takes no GET.
func TestAnAddressThatTakesFormsOnly(t *testing.T) {
	t.Parallel()
	s := stocked(1)
	url := serve(t, web.Options{Transfers: s, Results: hostileResults(1), Control: &controls{make(map[string]int)}})
	for _, accept := range []string{"text/html", "*/*"} {
		res, body := fetch(t, http.MethodGet, url+"/transfers/"+s.transfers[0].UUID+"/pause", "Accept", accept)
		if page := strings.Contains(body, "a button or a form"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "POST" || page != (accept == "text/html") {
			t.Errorf("%s: %d, Allow: %s, %s", accept, res.StatusCode, res.Header.Get("Allow"), body)
		}
	}
}
