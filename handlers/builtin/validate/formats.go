package validate

import (
	"maps"
	"slices"
	"strings"
)

// checks returns the checks by format. A check returns nil for a file that is well-formed,
// and errEncrypted or errNotChecked for a file that it cannot check.
func checks() map[string]func(*input) error {
	return map[string]func(*input) error{
		"json": checkJSON, "jsonl": checkJSONLines, "xml": checkXML, "csv": checkCSV,
		"image": checkImage, "pdf": checkPDF, "zip": checkZIP, "gzip": checkGzip,
	}
}

func formatNames() []string { return slices.Sorted(maps.Keys(checks())) }

// formatByMIME is the format of a media type, "" for one without a check.
func formatByMIME(mime string) string {
	mime, _, _ = strings.Cut(strings.ToLower(mime), ";")
	switch mime = strings.TrimSpace(mime); mime {
	case "application/json":
		return "json"
	case "application/x-ndjson", "application/jsonl":
		return "jsonl"
	case "application/xml", "text/xml":
		return "xml"
	case "text/csv":
		return "csv"
	case "image/jpeg", "image/png", "image/gif", "image/tiff", "image/bmp", "image/webp":
		return "image"
	case "application/pdf":
		return "pdf"
	case "application/zip", "application/epub+zip":
		return "zip"
	case "application/gzip", "application/x-gzip":
		return "gzip"
	}
	switch {
	case strings.HasSuffix(mime, "+xml"):
		return "xml"
	case strings.HasSuffix(mime, "+json"):
		return "json"
	case strings.HasSuffix(mime, "+zip"),
		strings.HasPrefix(mime, "application/vnd.openxmlformats-officedocument"),
		strings.HasPrefix(mime, "application/vnd.oasis.opendocument"):
		return "zip"
	}
	return ""
}

func formatByExtension(extension string) string {
	switch extension {
	case ".json", ".geojson":
		return "json"
	case ".jsonl", ".ndjson":
		return "jsonl"
	case ".xml", ".xsd", ".xsl", ".svg":
		return "xml"
	case ".csv":
		return "csv"
	case ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".bmp", ".webp":
		return "image"
	case ".pdf":
		return "pdf"
	case ".zip", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".odg", ".epub", ".jar":
		return "zip"
	case ".gz":
		return "gzip"
	}
	return ""
}
