package web

import (
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

const (
	compressFrom = 1 << 10 // bytes: what is shorter fits into one packet anyway

	// compressLevel of gzip: on pages, higher ones need more time and save little.
	compressLevel = 5

	// compressJitter is up to how many bytes of padding an answer has, which depend on its content.
	// It hides what the length of an answer tells about a text in it that somebody else has chosen,
	// such as a search (the attack BREACH). The token of forms is masked as well; see maskToken.
	compressJitter = 64
)

// compressed compresses pages, the files of pages, JSON and exports of text by gzip, for clients that accept it. Streams
// of events stay as they are, because each event has to reach the client at once, and so do
// downloads of unknown content, which often is compressed.
func compressed(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.CompressionLevel(compressLevel), gzhttp.MinSize(compressFrom),
		gzhttp.ContentTypeFilter(compressible), gzhttp.RandomJitter(compressJitter, 0, false))
	if err != nil {
		return nil, err
	}
	gzipped := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case lasts(r):
			next.ServeHTTP(w, r)
		case r.Method == http.MethodHead:
			gzipped(headWriter{w}, r)
		default:
			gzipped(w, r)
		}
	}), nil
}

// compressible reports whether content of a type is text, which compresses well.
func compressible(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "text/event-stream":
		return false
	case "image/svg+xml", "application/json", "application/javascript", "application/x-ndjson", "application/xml", "application/yaml":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+yaml")
}

// headWriter leaves out the length of the content that a GET may get compressed.
type headWriter struct{ http.ResponseWriter }

func (w headWriter) WriteHeader(code int) {
	if compressible(w.Header().Get("Content-Type")) {
		w.Header().Del("Content-Length")
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w headWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
