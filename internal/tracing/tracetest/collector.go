// Package tracetest receives traces in tests, as a collector of OpenTelemetry does.
package tracetest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is a span that was received.
type Span struct {
	Trace, ID, Parent string // in hexadecimal; Parent is empty for the first of a trace
	Name              string
	Links             []string // the spans that it links to
	Attributes        map[string]string
	Failed            bool
	Nanoseconds       int64
}

// Collector is a receiver of OTLP over HTTP.
type Collector struct {
	URL string

	t     testing.TB
	mu    sync.Mutex
	spans []Span
	raw   strings.Builder
}

// New starts a collector that runs until the test ends.
func New(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{t: t}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// ServeHTTP takes the spans of one request.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" {
		c.t.Errorf("the collector got %s %s", r.Method, r.URL.Path)
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			c.t.Errorf("the collector got no gzip: %v", err)
			return
		}
		body = unzipped
	}
	content, err := io.ReadAll(body)
	var request collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(content, &request)
	}
	if err != nil {
		c.t.Errorf("the collector got no spans: %v", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(content)
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, spanOf(s))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func spanOf(s *tracev1.Span) Span {
	span := Span{
		Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Name: s.GetName(), Attributes: make(map[string]string), Failed: s.GetStatus().GetCode() == tracev1.Status_STATUS_CODE_ERROR,
		Nanoseconds: int64(s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano()),
	}
	for _, l := range s.GetLinks() {
		span.Links = append(span.Links, hex.EncodeToString(l.GetSpanId()))
	}
	for _, a := range s.GetAttributes() {
		v := a.GetValue()
		switch {
		case v.GetStringValue() != "":
			span.Attributes[a.GetKey()] = v.GetStringValue()
		case v.GetBoolValue():
			span.Attributes[a.GetKey()] = "true"
		default:
			span.Attributes[a.GetKey()] = strconv.FormatInt(v.GetIntValue(), 10)
		}
	}
	return span
}

// Spans are the spans that have arrived.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Raw is all that has arrived, as bytes.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// Named are the spans of a name, or whose name begins with it when it ends with a space.
func (c *Collector) Named(name string) (found []Span) {
	for _, s := range c.Spans() {
		if s.Name == name || strings.HasSuffix(name, " ") && strings.HasPrefix(s.Name, name) {
			found = append(found, s)
		}
	}
	return found
}
