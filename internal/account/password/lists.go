package password

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	_ "embed" // the lists; NOTICE.txt says whose they are
	"hash/maphash"
	"math/big"
	"slices"
	"strings"
	"sync"
)

//go:embed common.txt.gz
var commonList []byte

//go:embed words.txt
var wordList string

// suggested is how many words Suggest joins: 5 of 3,767 are 59 bits.
const suggested = 5

// list is a set of texts by their hashes: 385 KiB for 49,233 of them, where
// the texts themselves would be 2 MB.
type list struct {
	seed   maphash.Seed
	hashes []uint64 // in order
}

func (l list) has(s string) bool {
	_, found := slices.BinarySearch(l.hashes, maphash.String(l.seed, s))
	return found
}

// commonPasswords is read when the first password is checked.
var commonPasswords = sync.OnceValue(readList)

func readList() list {
	l := list{seed: maphash.MakeSeed(), hashes: make([]uint64, 0, 50_000)}
	unpacked, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		panic("password: the embedded list is damaged: " + err.Error())
	}
	lines := bufio.NewScanner(unpacked)
	for lines.Scan() {
		l.hashes = append(l.hashes, maphash.Bytes(l.seed, lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		panic("password: the embedded list is damaged: " + err.Error())
	}
	slices.Sort(l.hashes)
	return l
}

func listed(s string) bool { return s != "" && commonPasswords().has(s) }

// Suggest returns a fresh passphrase of five plain words, such as
// "maroon-giver-oyster-carat-banana". It is as good as 59 random bits.
func Suggest() string {
	words := friendlyWords()
	chosen := make([]string, suggested)
	for {
		for i := range chosen {
			chosen[i] = words[below(len(words))]
		}
		if s := strings.Join(chosen, "-"); Check(s, Context{}, Min) == nil { // one in millions is the same word five times
			return s
		}
	}
}

var friendlyWords = sync.OnceValue(func() []string { return strings.Fields(wordList) })

// below returns a random number from 0 to n-1, each as likely.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic("password: no randomness: " + err.Error()) // cannot happen: rand.Reader never fails
	}
	return int(i.Int64())
}
