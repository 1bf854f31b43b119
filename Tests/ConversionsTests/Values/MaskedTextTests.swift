import Conversions
import Testing

@Suite struct MaskedTextTests {
  @Test(arguments: [
    ("bad ana@example.com", "bad a***@example.com"), ("<ana+x@example.com>: no", "<a***@example.com>: no"),
    ("friendEmail=\"ana@example.com\",bob@example.org", "friendEmail=\"a***@example.com\",b***@example.org"),
    ("o'brien@example.com", "o***@example.com"), ("to {a=b|c@example.com", "to {***@example.com"),
    ("?search=ana%40example.com&page=1", "?***%40example.com&page=1"),
    (#"{"metadata":{"buyer":"ana@example.com"}}"#, #"{"metadata":{"buyer":"a***@example.com"}}"#),
    ("ana@example.com@example.org", "a***@example.org"), ("50%", "50%"), ("%40home", "%40home"),
    ("nothing here", "nothing here"), ("@home", "@home"), ("", ""),
  ])
  func addressesAreMasked(text: String, shown: String) {
    #expect(MaskedText.withoutAddresses(text) == shown)
  }
}
