// Command image writes a container image of a release as a tar that `docker load` and `podman load`
// read. It needs neither a container engine nor a base image: the binary is static, and everything
// else that it needs is small. The same binary gives the same bytes.
//
//	image OS ARCH BINARY VERSION UNIX-TIME FILE
//
// For systems other than Linux it does nothing, so that a release can call it for each binary.
package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const repository = "ghcr.io/balerhq/baler"

// The account nonroot, by number, so that a cluster can see that it is not root; as in Dockerfile.
const account = 65532

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 6 {
		return fmt.Errorf("want OS ARCH BINARY VERSION UNIX-TIME FILE, not %q", args)
	}
	system, arch, binary, version, file := args[0], args[1], args[2], args[3], args[5]
	if system != "linux" {
		return nil
	}
	seconds, err := strconv.ParseInt(args[4], 10, 64)
	if err != nil {
		return fmt.Errorf("the time of the commit: %w", err)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	img, err := build(program, arch, version, time.Unix(seconds, 0).UTC())
	if err != nil {
		return fmt.Errorf("make the image for %s: %w", arch, err)
	}
	tag, err := name.NewTag(repository + ":" + version)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(file, tag, img)
}

func build(program []byte, arch, version string, created time.Time) (v1.Image, error) {
	text, err := files(program, created)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
	if err != nil {
		return nil, err
	}
	img, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "deploy/release/image"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, config(img, arch, version, created))
}

// config says the same as Dockerfile.
func config(img v1.Image, arch, version string, created time.Time) *v1.ConfigFile {
	c := &v1.ConfigFile{OS: "linux", Architecture: arch, Created: v1.Time{Time: created}}
	if was, err := img.ConfigFile(); err == nil {
		c.RootFS, c.History = was.RootFS, was.History
	}
	c.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", account, account),
		WorkingDir:   "/home/nonroot",
		Env:          []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/nonroot"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Entrypoint:   []string{"/usr/local/bin/baler"},
		Cmd:          []string{"help"},
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "/usr/local/bin/baler", "doctor"}, Interval: time.Minute, Timeout: 15 * time.Second, StartPeriod: 30 * time.Second, Retries: 3,
		},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "baler",
			"org.opencontainers.image.source":   "https://github.com/balerhq/baler",
			"org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.version":  version,
			"org.opencontainers.image.created":  created.Format(time.RFC3339),
		},
	}
	return c
}

// files returns the file system as a tar. Time zones are in the binary.
func files(program []byte, modified time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []struct {
		path    string
		mode    int64
		owner   int
		content []byte
	}{
		{"etc/", 0o755, 0, nil},
		{"etc/passwd", 0o644, 0, fmt.Appendf(nil, "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:%d:%d:nonroot:/home/nonroot:/sbin/nologin\n", account, account)},
		{"etc/group", 0o644, 0, fmt.Appendf(nil, "root:x:0:\nnonroot:x:%d:\n", account)},
		{"etc/nsswitch.conf", 0o644, 0, []byte("hosts: files dns\n")},
		{"etc/ssl/", 0o755, 0, nil},
		{"etc/ssl/certs/", 0o755, 0, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, 0, authorities()},
		{"home/", 0o755, 0, nil},
		{"home/nonroot/", 0o700, account, nil},
		{"tmp/", 0o1777, 0, nil},
		{"usr/", 0o755, 0, nil},
		{"usr/local/", 0o755, 0, nil},
		{"usr/local/bin/", 0o755, 0, nil},
		{"usr/local/bin/baler", 0o755, 0, program},
	} {
		h := &tar.Header{Name: f.path, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.content)), ModTime: modified, Typeflag: tar.TypeReg}
		if f.content == nil {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// authorities are the certificates that Mozilla trusts, of the day of the module's version.
func authorities() []byte {
	var all []byte
	for root := range bundle.Roots() {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})...)
	}
	return all
}
