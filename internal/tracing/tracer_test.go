package tracing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Without traces, what runs for a batch allocates nothing for them. The same with the
// attributes made beforehand does: that is what StartWith is for.
func TestWithoutTracesNothingIsAllocated(t *testing.T) {
	var off *Tracer
	batches, handler, failed := 1000, "checksum", errors.New("failed")
	batch := func() {
		ctx := Continue(context.Background(), "")
		ctx, span := off.StartWith(ctx, func() (string, Attributes) {
			return "invoke " + handler, Attributes{"files": batches, "handler": handler}
		})
		_, load := off.Start(ctx, "load", nil)
		load.EndWith(failed)
		if Headers(ctx) != nil || Parent(ctx) != "" || off.IsOn() {
			t.Fatal("there is a trace")
		}
		span.End("")
	}
	if n := testing.AllocsPerRun(1000, batch); n > 0 {
		t.Errorf("%v allocations a batch", n)
	}
	eager := func() {
		_, span := off.Start(context.Background(), "invoke "+handler, Attributes{"files": batches, "handler": handler})
		span.End("")
	}
	if n := testing.AllocsPerRun(1000, eager); n == 0 {
		t.Error("attributes that are made beforehand allocate nothing, so this test shows nothing")
	}
}

// A protocol that is not supported is named in the log, with what to do. That of traces takes
// precedence over that of everything.
func TestOtherProtocolsAreReported(t *testing.T) {
	for _, c := range []struct{ all, traces, want string }{
		{"", "", ""},
		{"http/protobuf", "", ""},
		{"grpc", "http/protobuf", ""},
		{"grpc", "", "variable=OTEL_EXPORTER_OTLP_PROTOCOL protocol=grpc"},
		{"http/protobuf", "grpc", "variable=OTEL_EXPORTER_OTLP_TRACES_PROTOCOL protocol=grpc"},
		{"http/json", "", "protocol=http/json"},
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", c.all)
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", c.traces)
		var log bytes.Buffer
		tracer, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1", Log: slog.New(slog.NewTextHandler(&log, nil))})
		testkit.Must(t, err)
		tracer.Close()
		if c.want == "" && log.Len() > 0 || !strings.Contains(log.String(), c.want) ||
			c.want != "" && !strings.Contains(log.String(), "set it to http/protobuf") {
			t.Errorf("%q and %q: %s", c.all, c.traces, &log)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	var log bytes.Buffer
	if tracer, err := New(t.Context(), Options{Log: slog.New(slog.NewTextHandler(&log, nil))}); err != nil || tracer.IsOn() || log.Len() > 0 {
		t.Errorf("without an endpoint: %v, %s", err, &log)
	}
}
