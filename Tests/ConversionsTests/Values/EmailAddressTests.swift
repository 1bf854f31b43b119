import Conversions
import TestHosts
import Testing

@Suite struct EmailAddressTests {
  @Test(arguments: [
    ("ana@example.com", "ana@example.com"),
    ("  Ana@Example.COM \n", "ana@example.com"),
    ("\u{FEFF}ana@example.com\u{200B}", "ana@example.com"),
    ("ana@example.com.", "ana@example.com"),
    ("ana+news@example.com", "ana+news@example.com"),
    ("a.n.a@example.com", "a.n.a@example.com"),
    ("JÜRGEN@example.com", "jürgen@example.com"),
    ("ju\u{0308}rgen@example.com", "jürgen@example.com"),
    ("ana@bücher.example", "ana@xn--bcher-kva.example"),
    ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
    ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
    ("\"odd@local\"@example.com", "\"odd@local\"@example.com"),
  ])
  func hasOneNormalForm(raw: String, normal: String) {
    #expect(EmailAddress(raw)?.text == normal)
  }

  @Test(arguments: [
    "", "   ", "ana", "@example.com", "ana@", "ana@.", "ana b@example.com", "ana@exa mple.com", "ana@b@",
    "a\u{0}na@example.com", "ana@bü/cher.example", String(repeating: "a", count: 400) + "@example.com",
  ])
  func refusesWhatIsNoAddress(raw: String) {
    #expect(EmailAddress(raw) == nil)
  }

  @Test func aLookAlikeNeverMatches() {
    #expect(EmailAddress("аna@example.com") != EmailAddress("ana@example.com"), "Cyrillic а, Latin a")
    #expect(EmailAddress("ana@exаmple.com") != EmailAddress("ana@example.com"))
  }

  @Test func theNormalFormIsItsOwn() {
    var random = SeededGenerator(seed: 7)
    let alphabet = Array("abcXYZ019.+-_@ üÜéßİıΣσçñ漢😀\u{308}\u{301}\u{200B}").map(String.init)
    var addresses = 0
    for _ in 0..<20_000 {
      let raw = (0..<Int.random(in: 3...14, using: &random)).map { _ in
        alphabet.randomElement(using: &random) ?? "a"
      }.joined()
      guard let address = EmailAddress(raw) else { continue }
      addresses += 1
      #expect(EmailAddress(address.text) == address, "\(raw)")
      #expect(
        EmailAddress(raw.uppercased().lowercased()).map(\.text) == EmailAddress(raw.lowercased()).map(\.text)
          || raw.contains { "ßİıΣ".contains($0) })
    }
    #expect(addresses > 500)
  }

  @Test func masksAllButTheFirstLetterAndTheDomain() {
    #expect(EmailAddress("ana@example.com")?.masked == "a***@example.com")
  }
}
