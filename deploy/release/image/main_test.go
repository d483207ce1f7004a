package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestImage(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("baler"), []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1.tar", "2.tar"} {
		if err := run([]string{"linux", "arm64", path("baler"), "1.2.3", "1795833750", path(name)}); err != nil {
			t.Fatal(err)
		}
	}
	one, err := os.ReadFile(path("1.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if two, err := os.ReadFile(path("2.tar")); err != nil || !bytes.Equal(one, two) {
		t.Errorf("the second time gives other bytes: %v", err)
	}
	img, err := tarball.ImageFromPath(path("1.tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != "arm64" || config.Config.User != "65532:65532" || config.Config.Labels["org.opencontainers.image.version"] != "1.2.3" {
		t.Errorf("the image is of %+v", config)
	}
	seen := map[string]string{}
	files := mutate.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		seen[h.Name] = string(text)
	}
	if seen["usr/local/bin/baler"] != "program" {
		t.Errorf("the image has %d files and not the program", len(seen))
	}
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM([]byte(seen["etc/ssl/certs/ca-certificates.crt"])) {
		t.Error("the image has no authorities")
	}
}

func TestOtherSystemsHaveNoImage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := run([]string{"windows", "amd64", "missing", "1.2.3", "1795833750", file}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("an image for Windows")
	}
	for _, args := range [][]string{nil, {"linux", "amd64", "missing", "1.2.3", "1795833750", file}, {"linux", "amd64", "main.go", "1.2.3", "now", file}} {
		if err := run(args); err == nil {
			t.Errorf("%q is no error", args)
		}
	}
}
