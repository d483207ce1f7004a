package command

import (
	"cmp"
	"fmt"
	"os/exec"
)

// packages are the names of the packages that have a program: Debian's and Ubuntu's, and
// Homebrew's.
func packages() map[string][2]string {
	return map[string][2]string{
		"convert":     {"imagemagick", "imagemagick"},
		"exiftool":    {"libimage-exiftool-perl libarchive-zip-perl", "exiftool"},
		"ffmpeg":      {"ffmpeg", "ffmpeg"},
		"ffprobe":     {"ffmpeg", "ffmpeg"},
		"file":        {"file", "libmagic"},
		"gs":          {"ghostscript", "ghostscript"},
		"identify":    {"imagemagick", "imagemagick"},
		"libreoffice": {"libreoffice", "--cask libreoffice"},
		"magick":      {"imagemagick", "imagemagick"},
		"mediainfo":   {"mediainfo", "media-info"},
		"node":        {"nodejs", "node"},
		"pdfinfo":     {"poppler-utils", "poppler"},
		"pdftoppm":    {"poppler-utils", "poppler"},
		"python3":     {"python3", "python"},
		"qpdf":        {"qpdf", "qpdf"},
		"soffice":     {"libreoffice", "--cask libreoffice"},
		"tiffinfo":    {"libtiff-tools", "libtiff"},
		"xmllint":     {"libxml2-utils", "libxml2"},
	}
}

// InstallHint says how to get a program.
func InstallHint(program string) string {
	if p, ok := packages()[program]; ok {
		return fmt.Sprintf("install it, for example with apt install %s or brew install %s", p[0], p[1])
	}
	return "install it, or correct the name"
}

// Installed reports whether a recipe's program is there. A relative path is relative to dir.
func Installed(program, dir string) bool {
	name, err := Resolve(program, dir)
	if err == nil {
		_, err = exec.LookPath(cmp.Or(name, program))
	}
	return err == nil
}
