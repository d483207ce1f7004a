// Package storagetest has an S3 server for tests, in memory.
package storagetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/balerhq/baler/internal/testkit"
)

// S3 is a server with one bucket, "films".
type S3 struct {
	URL string

	t       testing.TB
	backend *s3mem.Backend

	mu       sync.Mutex
	hook     func(w http.ResponseWriter, r *http.Request) (answered bool)
	requests []string
}

// Bucket is the path of the only bucket.
const Bucket = "s3://films"

// New starts a server that ends with the test.
func New(t testing.TB) *S3 {
	t.Helper()
	s := &S3{t: t, backend: s3mem.New()}
	testkit.Must(t, s.backend.CreateBucket("films"))
	serve := gofakes3.New(s.backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		hook := s.hook
		s.requests = append(s.requests, r.Method+" "+r.URL.Path+" "+r.Header.Get("Range"))
		s.mu.Unlock()
		if hook == nil || !hook(w, r) {
			serve.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Address is the address of a path in the bucket, for a process without credentials.
func (s *S3) Address(key string) string {
	address := Bucket
	if key != "" {
		address += "/" + key
	}
	return address + "?anonymous=true&endpoint=" + url.QueryEscape(s.URL)
}

// Environment is that of a program that uses the server.
func (s *S3) Environment() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL, "AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=storagetest-hush",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=eu-west-1",
	}
}

// Answer has hook see each request before the server does; it reports whether it has answered.
func (s *S3) Answer(hook func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// Requests returns the method, path and range of each request so far, and forgets them.
func (s *S3) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

// Put writes an object.
func (s *S3) Put(key, content string) {
	s.t.Helper()
	_, err := s.backend.PutObject("films", key, map[string]string{}, strings.NewReader(content), int64(len(content)), nil)
	testkit.Must(s.t, err)
}

// Remove removes an object.
func (s *S3) Remove(key string) {
	s.t.Helper()
	_, err := s.backend.DeleteObject("films", key)
	testkit.Must(s.t, err)
}

// Get returns an object's content; ok is false when there is none.
func (s *S3) Get(key string) (content string, ok bool) {
	s.t.Helper()
	o, err := s.backend.GetObject("films", key, nil)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
		return "", false
	}
	testkit.Must(s.t, err)
	defer o.Contents.Close() // only read from
	text, err := io.ReadAll(o.Contents)
	testkit.Must(s.t, err)
	return string(text), true
}

// Refuse answers with an error of S3.
func Refuse(w http.ResponseWriter, status int, code string) bool {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	// An error means that the client has gone; it asks no more.
	_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>as the test wants</Message></Error>")
	return true
}
