package characterize

import (
	"path/filepath"
	"strings"

	"github.com/bep/imagemeta"
)

// kind says how the properties of a file are found.
type kind int

const (
	kindUnknown kind = iota
	kindImage
	kindPDF
	kindFilm  // or a recording
	kindOther // with exiftool alone
)

// about is what the beginning of a file, its name and its MIME type say.
type about struct {
	kind  kind
	image imagemeta.ImageFormat // of an image; ImageFormatAuto for one without metadata
}

// aboutOf believes the content first: names and types are wrong more often.
func aboutOf(head, path, mime string) about {
	ext := strings.ToLower(filepath.Ext(path))
	if format, ok := imageFormat(head, ext); ok {
		return about{kindImage, format}
	}
	mime, _, _ = strings.Cut(mime, ",") // the first of several that PRONOM names
	switch {
	case strings.HasPrefix(head, "%PDF-"), mime == "application/pdf":
		return about{kind: kindPDF}
	case one(mime, "video/*", "audio/*", "application/mxf", "application/ogg"),
		one(ext, ".mp4", ".m4v", ".m4a", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".dv",
			".wav", ".bwf", ".mp3", ".flac", ".ogg", ".opus", ".aif", ".aiff", ".wma", ".aac", ".mj2"):
		return about{kind: kindFilm}
	case one(mime, "image/*", "application/msword", "application/vnd.ms-*", "application/vnd.openxmlformats-officedocument.*",
		"application/vnd.oasis.opendocument.*"),
		one(ext, ".doc", ".xls", ".ppt", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".odg", ".jp2", ".jpx", ".jpm", ".psd", ".svg"):
		return about{kind: kindOther}
	}
	return about{}
}

// imageFormat recognizes images by their signatures; raw images, which are TIFF, also by
// their extension.
func imageFormat(head, ext string) (format imagemeta.ImageFormat, ok bool) {
	switch {
	case strings.HasPrefix(head, "\xff\xd8\xff"):
		return imagemeta.JPEG, true
	case strings.HasPrefix(head, "\x89PNG\r\n\x1a\n"):
		return imagemeta.PNG, true
	case strings.HasPrefix(head, "RIFF") && len(head) >= 12 && head[8:12] == "WEBP":
		return imagemeta.WebP, true
	case strings.HasPrefix(head, "GIF87a"), strings.HasPrefix(head, "GIF89a"), strings.HasPrefix(head, "BM") && one(ext, ".bmp", ".dib"):
		return imagemeta.ImageFormatAuto, true
	case len(head) >= 12 && head[4:8] == "ftyp" && one(head[8:12], "heic", "heix", "mif1", "msf1", "heim", "heis", "hevc", "hevx"):
		return imagemeta.HEIF, true
	case len(head) >= 12 && head[4:8] == "ftyp" && one(head[8:12], "avif", "avis"):
		return imagemeta.AVIF, true
	case !strings.HasPrefix(head, "II*\x00") && !strings.HasPrefix(head, "MM\x00*"):
		return imagemeta.ImageFormatAuto, false
	}
	switch ext {
	case ".dng":
		return imagemeta.DNG, true
	case ".cr2":
		return imagemeta.CR2, true
	case ".nef":
		return imagemeta.NEF, true
	case ".arw":
		return imagemeta.ARW, true
	case ".pef":
		return imagemeta.PEF, true
	}
	return imagemeta.TIFF, true
}
