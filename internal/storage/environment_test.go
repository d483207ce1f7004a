package storage_test

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
)

// Without credentials no request is made, and the error says what to set.
func TestEnvironmentWithoutCredentials(t *testing.T) {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL", "GOOGLE_APPLICATION_CREDENTIALS",
		"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CONNECTION_STRING",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("GCE_METADATA_HOST", "127.0.0.1:1")
	b := storage.New()
	defer func() { testkit.Must(t, b.Close()) }()
	for path, want := range map[string]string{
		"s3://films/p":     "set AWS_ACCESS_KEY_ID",
		"azblob://films/p": "set AZURE_STORAGE_ACCOUNT",
	} {
		if err := b.Exists(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", t.TempDir()+"/none.json")
	if err := b.Exists(t.Context(), "gs://films/p"); err == nil || !strings.Contains(err.Error(), "set GOOGLE_APPLICATION_CREDENTIALS") {
		t.Errorf("gs: %v", err)
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
	t.Setenv("AZURE_STORAGE_KEY", "hush, which is no key")
	if err := b.Exists(t.Context(), "azblob://films/p"); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("azblob: %v", err)
	}
}
