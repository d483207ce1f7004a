package thumbnail

import (
	"bytes"
	"image"
	"io"

	"github.com/bep/imagemeta"

	"github.com/balerhq/baler/handlers"
)

// orientation reads the EXIF orientation of an image, 1 to 8; 1 when there is none or it
// is invalid. See Exif 2.3, tag 0x0112.
func orientation(in io.ReadSeeker) (int, error) {
	found := 1
	for signature, format := range map[string]imagemeta.ImageFormat{
		"\xff\xd8\xff": imagemeta.JPEG, "\x89PNG": imagemeta.PNG, "RIFF": imagemeta.WebP, "II*\x00": imagemeta.TIFF, "MM\x00*": imagemeta.TIFF,
	} {
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return 1, handlers.RetryLater(handlers.CodeIO, err)
		}
		head := make([]byte, len(signature))
		if _, err := io.ReadFull(in, head); err != nil || !bytes.Equal(head, []byte(signature)) {
			continue
		}
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return 1, handlers.RetryLater(handlers.CodeIO, err)
		}
		// Damaged metadata does not keep an image from being shown as it lies.
		_, _ = imagemeta.Decode(imagemeta.Options{
			R: in, ImageFormat: format, Sources: imagemeta.EXIF,
			ShouldHandleTag: func(tag imagemeta.TagInfo) bool { return tag.Tag == "Orientation" && tag.Namespace == "IFD0" },
			HandleTag: func(tag imagemeta.TagInfo) error {
				if n, ok := tag.Value.(uint16); ok && n >= 1 && n <= 8 {
					found = int(n)
				}
				return nil
			},
			Warnf: func(string, ...any) {},
		})
		break
	}
	return found, nil
}

// upright turns and mirrors an image as its orientation says.
func upright(picture image.Image, orientation int) image.Image {
	if orientation == 1 {
		return picture
	}
	from := picture.Bounds()
	width, height := from.Dx(), from.Dy()
	if orientation >= 5 {
		width, height = height, width
	}
	turned := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			turned.Set(x, y, picture.At(from.Min.X+sourceX(orientation, x, y, from), from.Min.Y+sourceY(orientation, x, y, from)))
		}
	}
	return turned
}

// sourceX is the column, from the left, of the pixel that is to be at x, y.
func sourceX(orientation, x, y int, from image.Rectangle) int {
	switch orientation {
	case 2, 3:
		return from.Dx() - 1 - x
	case 5, 6:
		return y
	case 7, 8:
		return from.Dx() - 1 - y
	}
	return x
}

// sourceY is its row, from the top.
func sourceY(orientation, x, y int, from image.Rectangle) int {
	switch orientation {
	case 3, 4:
		return from.Dy() - 1 - y
	case 5, 8:
		return x
	case 6, 7:
		return from.Dy() - 1 - x
	}
	return y
}
