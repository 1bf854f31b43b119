import Testing

@testable import PartnersAPI

@Suite struct MaskedTextTests {
  @Test(arguments: [
    ("bad ana@example.com", "bad a***@example.com"), ("<ana+x@example.com>: no", "<a***@example.com>: no"),
    ("friendEmail=\"ana@example.com\",bob@example.org", "friendEmail=\"a***@example.com\",b***@example.org"),
    ("nothing here", "nothing here"), ("@home", "@home"), ("", ""),
  ])
  func addressesAreMasked(text: String, shown: String) {
    #expect(MaskedText.withoutAddresses(text) == shown)
  }
}
