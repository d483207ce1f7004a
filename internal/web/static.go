package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// assetRoot is where style sheets are served.
const assetRoot = "/assets/"

//go:embed assets templates
var embedded embed.FS

// static serves content that does not change while the process runs, with an ETag. The ETag
// is weak, because it is that of the compressed content too.
func static(contentType string, body []byte) http.Handler {
	sum := sha256.Sum256(body)
	tag := `W/"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

func mountAssets(mux *http.ServeMux) error {
	types := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
	names, err := fs.Glob(embedded, "assets/*.*")
	if err != nil {
		return fmt.Errorf("list assets: %w", err)
	}
	for _, name := range names {
		body, err := embedded.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read asset: %w", err)
		}
		mux.Handle("GET "+assetRoot+path.Base(name), static(types[path.Ext(name)], body))
	}
	return nil
}
