package api

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// Prefixes distinguish the tokens of each list from one another and from later versions.
const (
	transferToken = "t1:"
	resultToken   = "r1:"
)

// errToken is the error of a token that this API did not make.
var errToken = errors.New("not a page token: use the value of next from the previous page")

// EncodeToken makes an opaque token from the number of a page's last transfer.
func EncodeToken(id int64) string { return encodeNumbers(transferToken, id) }

// DecodeToken returns the number in a token. An empty token means 0, the first page.
func DecodeToken(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	n, err := decodeNumbers(transferToken, token, 1)
	if err != nil {
		return 0, err
	}
	return n[0], nil
}

// EncodeResultToken makes an opaque token from the key of a page's last result.
func EncodeResultToken(k tasks.ResultKey) string {
	return encodeNumbers(resultToken, int64(k.Step), k.File)
}

// DecodeResultToken returns the key in a token. An empty token means the zero key, the first page.
func DecodeResultToken(token string) (k tasks.ResultKey, err error) {
	if token == "" {
		return k, nil
	}
	n, err := decodeNumbers(resultToken, token, 2)
	if err != nil {
		return k, err
	}
	return tasks.ResultKey{Step: int(n[0]), File: n[1]}, nil
}

func encodeNumbers(prefix string, numbers ...int64) string {
	var b strings.Builder
	b.WriteString(prefix)
	for i, n := range numbers {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.FormatInt(n, 10))
	}
	return base64.RawURLEncoding.EncodeToString([]byte(b.String()))
}

func decodeNumbers(prefix, token string, count int) ([]int64, error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, errToken
	}
	digits, ok := strings.CutPrefix(string(text), prefix)
	if !ok {
		return nil, errToken
	}
	parts := strings.Split(digits, ".")
	if len(parts) != count {
		return nil, errToken
	}
	numbers := make([]int64, count)
	for i, part := range parts {
		if numbers[i], err = strconv.ParseInt(part, 10, 64); err != nil || numbers[i] < 1 {
			return nil, errToken
		}
	}
	return numbers, nil
}
