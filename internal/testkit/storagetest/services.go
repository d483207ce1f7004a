package storagetest

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"github.com/balerhq/baler/internal/testkit"
)

// The programs that stand for services. They are not part of the suite: a test that needs one is
// skipped where it is not installed.
const (
	gcsProgram   = "fake-gcs-server" // go install github.com/fsouza/fake-gcs-server@latest
	azureProgram = "azurite-blob"    // npm install -g azurite

)

// serveTime is how long a program may take until it listens.
const serveTime = time.Minute

// GCS starts a server of Google Cloud Storage with the bucket gs://films. The environment is that
// of a program that uses it.
func GCS(t testing.TB) (environment []string) {
	t.Helper()
	address := serve(t, gcsProgram, func(host, port string) []string {
		return []string{
			"-scheme", "http", "-backend", "memory", "-host", host, "-port", port,
			"-external-url", "http://" + host + ":" + port, "-public-host", host + ":" + port, "-log-level", "error",
		}
	})
	body := strings.NewReader(`{"name":"films"}`)
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/storage/v1/b?project=p", body)
	testkit.Must(t, err)
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	testkit.Must(t, err)
	defer r.Body.Close() // only read from
	if r.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(r.Body) // the status says enough
		t.Fatalf("make a bucket: %s %s", r.Status, text)
	}
	return []string{"STORAGE_EMULATOR_HOST=" + address}
}

// Azure starts a server of Azure Blob Storage with the container azblob://films. The environment is
// that of a program that uses it.
func Azure(t testing.TB) (environment []string) {
	t.Helper()
	const account = "tester"
	key := base64.StdEncoding.EncodeToString([]byte("storagetest-hush"))
	t.Setenv("AZURITE_ACCOUNTS", account+":"+key)
	dir := t.TempDir()
	address := serve(t, azureProgram, func(host, port string) []string {
		return []string{
			"--blobHost", host, "--blobPort", port, "--location", dir, "--silent", "--skipApiVersionCheck", "--disableTelemetry",
		}
	})
	client, err := azblob.NewClientFromConnectionString(fmt.Sprintf(
		"DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=http://%s/%s", account, key, address, account), nil)
	testkit.Must(t, err)
	_, err = client.CreateContainer(t.Context(), "films", nil)
	testkit.Must(t, err)
	return []string{
		"AZURE_STORAGE_ACCOUNT=" + account, "AZURE_STORAGE_KEY=" + key, "AZURE_STORAGE_DOMAIN=" + address, "AZURE_STORAGE_PROTOCOL=http",
		"AZURE_STORAGE_IS_LOCAL_EMULATOR=true",
	}
}

// serve starts a program that listens on loopback until the test ends.
func serve(t testing.TB, program string, args func(host, port string) []string) (address string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed: this service is not tried", program)
	}
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	address = free.Addr().String()
	testkit.Must(t, free.Close())
	host, port, err := net.SplitHostPort(address)
	testkit.Must(t, err)
	cmd := exec.Command(path, args(host, port)...) //nolint:noctx // Cleanup ends it
	testkit.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended
		_ = cmd.Wait()         // of which it tells
	})
	testkit.Eventually(t, serveTime, func() error {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			err = c.Close()
		}
		return err
	})
	return address
}
