package web

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// tokenPrefix distinguishes page tokens from other tokens and from later versions.
const tokenPrefix = "t1:"

// errToken is the error of a token that this API did not make.
var errToken = errors.New("not a page token: use the value of next from the previous page")

// encodeToken makes an opaque token from the number of a page's last transfer.
func encodeToken(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + strconv.FormatInt(id, 10)))
}

// decodeToken returns the number in a token. An empty token means 0, the first page.
func decodeToken(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, errToken
	}
	digits, ok := strings.CutPrefix(string(text), tokenPrefix)
	if !ok {
		return 0, errToken
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || id < 1 {
		return 0, errToken
	}
	return id, nil
}
