// Package images registers the decoders of images that built-in handlers use, for JPEG, PNG,
// GIF, TIFF, BMP and WebP, and reads their errors.
package images

import (
	"errors"
	_ "image/gif" // a format of image.Decode
	"image/jpeg"
	"image/png"

	othertiff "github.com/hhrutter/tiff" // the decoder that comes with the PDF library may be asked first
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	_ "golang.org/x/image/webp" // a format of image.Decode
)

// Unsupported reports whether an error of image.Decode says that the image is of a variant
// which the decoder does not know, such as a JPEG with arithmetic coding. Such an image may
// be sound.
func Unsupported(err error) bool {
	_, unknownJPEG := errors.AsType[jpeg.UnsupportedError](err)
	_, unknownPNG := errors.AsType[png.UnsupportedError](err)
	_, unknownTIFF := errors.AsType[tiff.UnsupportedError](err)
	_, otherTIFF := errors.AsType[othertiff.UnsupportedError](err)
	return unknownJPEG || unknownPNG || unknownTIFF || otherTIFF || errors.Is(err, bmp.ErrUnsupported)
}
