package storage

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// slowLine gives an object of zeros at a steady pace.
type slowLine struct {
	service

	size, perSecond int64
	longest         time.Duration // of one request
}

func (s *slowLine) fetch(ctx context.Context, _ string, off, n int64, _ string) (io.ReadCloser, content, error) {
	n = min(n, s.size-off)
	took := time.Duration(n) * time.Second / time.Duration(s.perSecond)
	s.longest = max(s.longest, took)
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return nil, content{}, ctx.Err()
	}
	return io.NopCloser(bytes.NewReader(make([]byte, n))), content{size: s.size, version: "v"}, nil
}

// A slow line that gives content all the time is not one that gives none for minutes.
func TestSlowLineIsReadInSmallerParts(t *testing.T) {
	t.Parallel()
	for perSecond, limit := range map[int64]time.Duration{40 << 10: windowTime, 10 << 20: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			line := &slowLine{size: 100 << 20, perSecond: perSecond}
			ctx, cancel := context.WithCancel(t.Context())
			r := &reader{ctx: ctx, cancel: cancel, service: line, path: "s3://films/a", key: "a", most: mostWindow}
			if err := r.open(); err != nil {
				t.Fatal(err)
			}
			if n, err := r.ReadAt(make([]byte, 16<<20), 1<<20); err != nil || n != 16<<20 {
				t.Fatalf("%d bytes were read: %v", n, err)
			}
			if line.longest > limit {
				t.Errorf("at %d bytes a second, one request takes %s, the limit is %s", perSecond, line.longest, limit)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
