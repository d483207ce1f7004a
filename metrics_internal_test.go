package baler

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/watch"
	"github.com/balerhq/baler/recipe"
)

var update = flag.Bool("update", false, "write docs/metrics.md again")

// metric is a metric as its description has it.
type metric struct{ name, help, labels string }

// exported lists the metrics of a server with a worker, by name. It reads descriptions,
// because a metric with labels has no value before it counts something.
func exported(t *testing.T) map[string]metric {
	t.Helper()
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	c.Database.URL, c.Redis.URL = "sqlite:"+filepath.Join(t.TempDir(), "baler.db"), "embedded"
	c.Journal.Dir = t.TempDir()
	b, err := Open(t.Context(), c, Options{Registry: builtin.Registry()})
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, b.Close()) })
	root := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(root, "a"), nil, 0o600))
	checksum, _ := recipe.Builtin("checksum")
	_, err = b.Run(t.Context(), Submission{Paths: []string{root}, Recipe: checksum}) // a queue exists once it has been used
	testkit.Must(t, err)
	watch.NewMetrics(b.metrics)
	metrics := described(b.metrics)

	server, err := b.backend().NewServer(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, server.Close()) })
	for range 2 { // the first request is in the answer to the second
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/metrics", nil)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		for _, m := range scraped(w.Body.String()) {
			if _, known := metrics[m.name]; !known {
				metrics[m.name] = m
			}
		}
	}
	for name := range metrics {
		if !strings.HasPrefix(name, "baler_") {
			delete(metrics, name) // Go's, the process's and the pool's are documented by their libraries
		}
	}
	return metrics
}

// described lists the metrics of a registry from their descriptions, which client_golang
// shows as text only.
func described(r *prometheus.Registry) map[string]metric {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		r.Describe(descs)
	}()
	text := regexp.MustCompile(`fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)".*, constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)
	metrics := make(map[string]metric)
	for d := range descs {
		m := text.FindStringSubmatch(d.String())
		if m == nil {
			continue
		}
		constant := regexp.MustCompile(`([a-z]+)="[^"]*"`).ReplaceAllString(m[3], "$1")
		labels := strings.Split(strings.Trim(constant+","+m[4], ","), ",")
		metrics[m[1]] = metric{m[1], m[2], strings.Join(labels, ", ")}
	}
	return metrics
}

// scraped lists the metrics of a scrape.
func scraped(body string) []metric {
	var list []metric
	for _, m := range regexp.MustCompile(`(?m)^# HELP (\S+) (.*)$`).FindAllStringSubmatch(body, -1) {
		var labels []string
		if first := regexp.MustCompile(`(?m)^` + m[1] + `(?:_count)?\{(.*)\} `).FindStringSubmatch(body); first != nil {
			for _, l := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(first[1], -1) {
				labels = append(labels, l[1])
			}
		}
		list = append(list, metric{m[1], m[2], strings.Join(labels, ", ")})
	}
	return list
}

// The page lists every metric. `go test . -run Metrics -update` writes it again.
func TestMetricsPage(t *testing.T) {
	t.Parallel()
	metrics := exported(t)
	var page strings.Builder
	page.WriteString("# Metrics\n\n" + metricsIntroduction + "\n| metric | labels | |\n|---|---|---|\n")
	names := make([]string, 0, len(metrics))
	for name := range metrics {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m := metrics[name]
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", m.name, m.labels, m.help)
	}
	testkit.Golden(t, "docs/metrics.md", page.String(), *update)
}

const metricsIntroduction = `Each ` + "`baler worker` serves `/metrics` at its admin address (`worker.admin_listen`); `baler serve`" + ` does too, and with
` + "`--worker`" + ` it includes the metrics of its worker. Metrics of the database and the queue are the same in all processes: use ` + "`max`" + `, not
` + "`sum`" + `, over them. ` + "`go_…`, `process_…` and `go_sql_…`" + ` (the pool of database connections) come from Prometheus's Go library.

[deploy/prometheus/alerts.yml](../deploy/prometheus/alerts.yml) has alert rules, each with a page in [runbooks](runbooks/README.md);
[deploy/grafana/baler.json](../deploy/grafana/baler.json) is a dashboard for Grafana.
`

// alertRules is deploy/prometheus/alerts.yml.
type alertRules struct {
	Groups []struct {
		Rules []struct {
			Alert       string
			Expr        string
			Annotations map[string]string
		}
	}
}

// Every alert has its page and a test in which it fires, and every metric that rules and dashboard name exists.
func TestAlertsAndDashboardUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("deploy/prometheus/alerts.yml")
	testkit.Must(t, err)
	var rules alertRules
	testkit.Must(t, yaml.Unmarshal(content, &rules))
	tests, err := os.ReadFile("deploy/prometheus/alerts_test.yml")
	testkit.Must(t, err)
	index, err := os.ReadFile("docs/runbooks/README.md")
	testkit.Must(t, err)
	exprs := make(map[string]string)
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			exprs[r.Alert] = r.Expr
			page := r.Alert + ".md"
			if _, err := os.Stat(filepath.Join("docs/runbooks", page)); err != nil {
				t.Errorf("alert %s has no page: %v", r.Alert, err)
			}
			if !strings.HasSuffix(r.Annotations["runbook_url"], "/docs/runbooks/"+page) {
				t.Errorf("alert %s: runbook_url is %q", r.Alert, r.Annotations["runbook_url"])
			}
			if !strings.Contains(string(tests), "alertname: "+r.Alert+"\n") {
				t.Errorf("no test of promtool sees alert %s fire", r.Alert)
			}
			if !strings.Contains(string(index), "("+page+")") {
				t.Errorf("docs/runbooks/README.md does not list %s", page)
			}
		}
	}
	if len(exprs) == 0 {
		t.Fatal("no alerts")
	}
	maps.Copy(exprs, dashboardExpressions(t))
	metrics := exported(t)
	for where, expr := range exprs {
		for _, name := range regexp.MustCompile(`\bbaler_\w+`).FindAllString(expr, -1) {
			base := name
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if _, ok := metrics[base]; !ok {
				t.Errorf("%s uses %s, which no process exports", where, name)
			}
		}
	}
}

// dashboardExpressions returns the queries of the dashboard, by panel.
func dashboardExpressions(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("deploy/grafana/baler.json")
	testkit.Must(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	testkit.Must(t, json.Unmarshal(content, &dashboard))
	exprs := make(map[string]string)
	for _, p := range dashboard.Panels {
		for i, target := range p.Targets {
			exprs[fmt.Sprintf("panel %q, query %d", p.Title, i+1)] = target.Expr
		}
	}
	if len(exprs) == 0 {
		t.Error("the dashboard has no queries")
	}
	return exprs
}

// promtool checks the rules and runs their tests.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed; on Debian it is in the package prometheus")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = "deploy/prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
