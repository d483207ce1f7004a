package bench

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// pageView is a page of the dashboard, or an address of the API.
type pageView struct {
	name string // as the table shows it
	path string
	api  bool
}

// pageViews are what Pages requests of a transfer, in order.
func pageViews(id string, l largeTransfer) []pageView {
	var views []pageView
	words := strings.NewReplacer("{id}", "ID", "{n}", "N", "{step}", "STEP", "{part}", "PATH", "{puid}", "PUID", "{none}", "NONE")
	values := strings.NewReplacer("{id}", id, "{n}", strconv.FormatInt(l.files, 10), "{step}", url.QueryEscape(l.step),
		"{part}", l.lastPart, "{puid}", url.QueryEscape(l.puid), "{none}", url.QueryEscape(l.noPUID))
	add := func(api bool, root string, paths ...string) {
		for _, path := range paths {
			views = append(views, pageView{name: root + words.Replace(path), path: root + values.Replace(path), api: api})
		}
	}
	add(
		false, "", "/", "/transfers/{id}", "/transfers/{id}/failures", "/transfers/{id}/results",
		"/transfers/{id}/results?step={step}&outcome=failed", "/transfers/{id}/files", "/transfers/{id}/files?q={part}",
		"/transfers/{id}/files?q=puid:{puid}", "/transfers/{id}/files?q=puid:{none}", "/transfers/{id}/files/{n}",
		"/transfers/{id}/formats", "/transfers/{id}/fixity", "/workers",
	)
	add(
		true, "/v1", "/transfers", "/transfers/{id}", "/transfers/{id}/results", "/transfers/{id}/results?outcome=failed",
		"/transfers/{id}/failures", "/transfers/{id}/live",
	)
	return views
}

// measurePage requests a page from a server that has answered nothing before, and then as often
// as the options say. It tells what it has measured also with an error.
func (s *cluster) measurePage(ctx context.Context, view pageView, o PagesOptions) (m PageMeasurement, err error) {
	server, err := s.serve(ctx)
	if err != nil {
		return m, err
	}
	defer server.stop()
	s.host.o.Say("%s", view.name)
	m = PageMeasurement{Type: "measurement", Page: view.name, API: view.api, Busy: o.Busy, Files: o.files()}
	finished, err := s.finished(ctx)
	if err != nil {
		return m, err
	}
	client := newPageClient(server.url)
	defer client.close()
	host, begun := readHost(), time.Now()
	err = client.measure(ctx, view.path, o.Requests, &m)
	m.Stolen, m.LoadAverage = readHost().stolenSince(host), loadAverage()
	if o.Busy && err == nil {
		var now int64
		now, err = s.finished(ctx)
		m.BusyRate = float64(now-finished) / time.Since(begun).Seconds()
	}
	return m, err
}

// measure requests an address once and then so many times, and notes what that took, also
// when an error ends it.
func (c *pageClient) measure(ctx context.Context, address string, requests int, m *PageMeasurement) error {
	first, err := c.get(ctx, address)
	if err != nil {
		return err
	}
	m.FirstMS, m.Bytes = milliseconds(first.firstByte), len(first.body)
	if !m.API {
		assets, err := c.assets(ctx, first)
		if err != nil {
			return err
		}
		m.WithAssets = m.Bytes + assets
	}
	var times []float64
	for range requests {
		var a answer
		if a, err = c.get(ctx, address); err != nil {
			break
		}
		times = append(times, milliseconds(a.firstByte))
		m.Bytes = max(m.Bytes, len(a.body))
	}
	if m.Requests = len(times); m.Requests > 0 {
		m.MedianMS, m.P99MS, m.MaxMS = median(times), quantile(times, 0.99), quantile(times, 1)
	}
	if ctx.Err() != nil { // it is the cause of the other
		return ctx.Err()
	}
	return err
}

// newestTransfers is more than workers process while one page is measured.
const newestTransfers = 500

// finished is how many files the newest transfers have finished.
func (s *cluster) finished(ctx context.Context) (n int64, err error) {
	newest, err := s.b.Transfers(ctx, 0, newestTransfers)
	for i := range newest {
		n += newest[i].Finished
	}
	return n, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// loadAverage is how many processes ran or waited for a processor during the last minute; 0
// where the system does not tell.
func loadAverage() (load float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0 // another system
	}
	_, _ = fmt.Sscan(string(text), &load) // what cannot be read stays 0
	return load
}
