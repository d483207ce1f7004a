// Package tracing sends OpenTelemetry traces when that is asked for, and otherwise costs a
// comparison. No span holds a path, an output or a setting: the attributes are numbers, and
// the names that recipes and workers have.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names the source of the spans.
const scope = "github.com/balerhq/baler"

// Options are the settings of a Tracer.
type Options struct {
	Endpoint string // of an OTLP/HTTP receiver; empty: what OTEL_EXPORTER_OTLP_ENDPOINT says
	Version  string
	Instance string // the worker's name
	Log      *slog.Logger
}

// Tracer starts spans. A nil Tracer starts none.
type Tracer struct {
	tracer trace.Tracer
	close  func()
}

const (
	// exportTime bounds one try to send spans.
	exportTime = 5 * time.Second

	// closeTime bounds how long the end of a process waits for a collector.
	closeTime = 3 * time.Second
)

// endpointVariables ask for traces.
func endpointVariables() []string {
	return []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}
}

// Wanted reports whether the endpoint or OpenTelemetry's variables ask for traces.
func Wanted(endpoint string) bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return endpoint != "" || slices.ContainsFunc(endpointVariables(), func(v string) bool { return os.Getenv(v) != "" })
}

// New makes a tracer, or returns nil when nothing asks for traces. It does not connect: spans
// are sent in the background, and dropped while the receiver does not take them.
func New(ctx context.Context, o Options) (*Tracer, error) {
	if !Wanted(o.Endpoint) {
		return nil, nil //nolint:nilnil // a nil Tracer works
	}
	if variable, protocol := otherProtocol(); variable != "" {
		o.Log.WarnContext(ctx, "traces are sent by http/protobuf, the only protocol of Baler, and not by the one that a variable asks for; "+
			"set it to http/protobuf, and give the collector's address for OTLP over HTTP, mostly that with port 4318",
			"variable", variable, "protocol", protocol)
	}
	var endpoint []otlptracehttp.Option
	if o.Endpoint != "" {
		address, err := signalURL(o.Endpoint)
		if err != nil {
			return nil, err
		}
		endpoint = append(endpoint, otlptracehttp.WithEndpointURL(address))
	}
	endpoint = append(endpoint, otlptracehttp.WithTimeout(exportTime), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	exporter, err := otlptracehttp.New(ctx, endpoint...)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	return NewWith(ctx, o, exporter), nil
}

// NewWith makes a tracer that gives its spans to an exporter, also after ctx has ended.
func NewWith(ctx context.Context, o Options, exporter sdktrace.SpanExporter) *Tracer {
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&quietExporter{SpanExporter: exporter, log: o.Log}), sdktrace.WithResource(resourceOf(o)),
	)
	return &Tracer{provider.Tracer(scope, trace.WithInstrumentationVersion(o.Version)), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		_ = provider.Shutdown(ctx) // the exporter has reported what is lost
	}}
}

// otherProtocol is the variable that asks for a protocol which is not supported, with its value;
// empty when none does.
func otherProtocol() (variable, protocol string) {
	for _, variable := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch protocol := os.Getenv(variable); protocol {
		case "":
		case "http/protobuf":
			return "", "" // that of traces takes precedence
		default:
			return variable, protocol
		}
	}
	return "", ""
}

// signalURL is the address of the traces at an endpoint, as OTEL_EXPORTER_OTLP_ENDPOINT has it.
func signalURL(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("trace.endpoint: not the http or https address of an OTLP receiver, such as http://localhost:4318")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// resourceOf says what the spans come from. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES
// take precedence.
func resourceOf(o Options) *resource.Resource {
	attributes := []attribute.KeyValue{attribute.String("service.name", "baler"), attribute.String("service.version", o.Version)}
	if o.Instance != "" {
		attributes = append(attributes, attribute.String("service.instance.id", o.Instance))
	}
	own := resource.NewSchemaless(attributes...)
	both, err := resource.Merge(own, resource.Environment())
	if err != nil { // the variables are not written as they should be
		return own
	}
	return both
}

// quietExporter reports that spans are lost in the log, once until they are not.
type quietExporter struct {
	sdktrace.SpanExporter

	log  *slog.Logger
	lost bool
}

// ExportSpans implements sdktrace.SpanExporter. The processor does not call it concurrently.
func (e *quietExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !e.lost:
		e.log.WarnContext(ctx, "traces are lost: the collector does not take them; nothing else is affected", "error", err)
	case err == nil && e.lost:
		e.log.InfoContext(ctx, "the collector takes traces again")
	}
	e.lost = err != nil
	return nil
}

// Close sends what is left, for at most some seconds. It returns no error: traces never make
// work fail.
func (t *Tracer) Close() {
	if t != nil {
		t.close()
	}
}

// Parent returns the present span as the value of a traceparent header; empty without one.
func Parent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	h := make(propagation.MapCarrier)
	propagation.TraceContext{}.Inject(ctx, h)
	return h[traceparent]
}

// traceparent is the header of W3C Trace Context.
const traceparent = "traceparent"

// Headers returns the headers with which a message or request carries the present span on;
// nil without one.
func Headers(ctx context.Context) map[string]string {
	if parent := Parent(ctx); parent != "" {
		return map[string]string{traceparent: parent}
	}
	return nil
}

// Continue puts the span of a traceparent into ctx, so that spans continue its trace.
// What is no such header has no effect.
func Continue(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parent})
}

// From returns the traceparent in the headers of a message or request.
func From(headers map[string]string) string { return headers[traceparent] }

// Span is a span that may be nil.
type Span struct{ span trace.Span }

// Attributes are what a span says. Values that are no string, int, int64 or bool are left out.
type Attributes map[string]any

func (a Attributes) list() []attribute.KeyValue {
	all := make([]attribute.KeyValue, 0, len(a))
	for _, name := range slices.Sorted(maps.Keys(a)) {
		key := attribute.Key("baler." + name)
		if strings.Contains(name, ".") { // of OpenTelemetry's own conventions
			key = attribute.Key(name)
		}
		switch v := a[name].(type) {
		case string:
			all = append(all, key.String(clip(v)))
		case int:
			all = append(all, key.Int(v))
		case int64:
			all = append(all, key.Int64(v))
		case bool:
			all = append(all, key.Bool(v))
		}
	}
	return all
}

// clip bounds an attribute.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 256)], "") }

// Start begins a span in the trace of ctx. The caller ends it.
func (t *Tracer) Start(ctx context.Context, name string, a Attributes) (context.Context, *Span) {
	return t.StartAt(ctx, name, time.Time{}, "", a)
}

// StartWith is Start for code that runs for every batch: the name and the attributes are made
// only when there are traces, so that without them it allocates nothing.
func (t *Tracer) StartWith(ctx context.Context, about func() (name string, a Attributes)) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	name, a := about()
	return t.Start(ctx, name, a)
}

// StartAt is Start for a span that began earlier; at may be zero. link is the traceparent of
// another span that it belongs to; it may be empty.
func (t *Tracer) StartAt(ctx context.Context, name string, at time.Time, link string, a Attributes) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	return t.start(ctx, name, at, link, a, trace.SpanKindInternal)
}

// Serve is Start for a request that others have sent.
func (t *Tracer) Serve(ctx context.Context, name string, a Attributes) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	return t.start(ctx, name, time.Time{}, "", a, trace.SpanKindServer)
}

// Consume is Serve for a message of the queue.
func (t *Tracer) Consume(ctx context.Context, name string, at time.Time, link string, a Attributes) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	return t.start(ctx, name, at, link, a, trace.SpanKindConsumer)
}

func (t *Tracer) start(
	ctx context.Context, name string, at time.Time, link string, a Attributes, kind trace.SpanKind,
) (context.Context, *Span) {
	options := []trace.SpanStartOption{trace.WithAttributes(a.list()...), trace.WithSpanKind(kind)}
	if !at.IsZero() {
		options = append(options, trace.WithTimestamp(at))
	}
	if linked := trace.SpanContextFromContext(Continue(context.Background(), link)); linked.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: linked}))
	}
	ctx, span := t.tracer.Start(ctx, name, options...) //nolint:spancheck // the caller ends it
	return ctx, &Span{span}                            //nolint:spancheck // as above
}

// Set adds attributes.
func (s *Span) Set(a Attributes) {
	if s != nil {
		s.span.SetAttributes(a.list()...)
	}
}

// Rename changes the name.
func (s *Span) Rename(name string) {
	if s != nil {
		s.span.SetName(name)
	}
}

// End ends the span. why says in fixed words why it failed; empty when it did not. The text
// of an error does not belong there: it may name files.
func (s *Span) End(why string) {
	if s == nil {
		return
	}
	if why != "" {
		s.span.SetStatus(codes.Error, why)
	}
	s.span.End()
}

// EndWith ends the span, as failed when there is an error.
func (s *Span) EndWith(err error) {
	if err != nil {
		s.End("error")
		return
	}
	s.End("")
}

// EndAt ends the span at a time.
func (s *Span) EndAt(at time.Time) {
	if s != nil {
		s.span.End(trace.WithTimestamp(at))
	}
}

// IsOn reports whether spans are made.
func (t *Tracer) IsOn() bool { return t != nil }
