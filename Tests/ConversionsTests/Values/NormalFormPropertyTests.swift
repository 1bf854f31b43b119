import Conversions
import Foundation
import Testing

/// Properties of normal forms for any input: a friend's address is written in many ways, and two people's in similar
/// ones.
@Suite struct NormalFormPropertyTests {
  /// Letters that normal forms treat in ways of their own, and some that they don't.
  private static let letters: [Character] = Array("aAbZzsSkK019.+-_äÄßẞİıéÉеКåÅﬁ中ﾊςσΣſᾳᾼ")
  private static let domains = [
    "example.com", "EXAMPLE.org", "bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "a.b-c.example",
    "müller.example.", "straße.example",
  ]

  private struct Source {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: state >> 33) % bound
    }

    mutating func address() -> String {
      let local = (0...next(9)).map { _ in letters[next(letters.count)] }
      return String(local) + "@" + domains[next(domains.count)]
    }
  }

  private static func addresses(_ seed: UInt64) -> [String] {
    var source = Source(state: seed &* 0x9e37_79b9_7f4a_7c15 &+ 1)
    return (0..<1000).map { _ in source.address() }
  }

  @Test(arguments: UInt64(0)..<10)
  func aNormalFormIsItsOwn(seed: UInt64) {
    for raw in Self.addresses(seed) {
      guard let address = EmailAddress(raw) else { continue }
      #expect(EmailAddress(address.text) == address, "\(raw)")
    }
  }

  @Test(arguments: UInt64(0)..<10)
  func spaceAndTheWayAccentsAreWrittenDoNotMatter(seed: UInt64) {
    for raw in Self.addresses(seed) {
      let address = EmailAddress(raw)
      // A character that is cut away also takes the long way to the same form.
      #expect(EmailAddress("\u{FEFF} \t\(raw)\u{200B}\n") == address, "\(raw)")
      #expect(EmailAddress(raw.decomposedStringWithCanonicalMapping) == address, "\(raw)")
      #expect(EmailAddress(raw.precomposedStringWithCanonicalMapping) == address, "\(raw)")
    }
  }

  /// Code points that show nothing: all of Unicode's, of which an address may be given any by a copy.
  private static let invisible = (UInt32(0x80)...0x10FFFF).compactMap(Unicode.Scalar.init)
    .filter(\.properties.isDefaultIgnorableCodePoint)

  @Test(arguments: UInt64(0)..<10)
  func marksThatShowNothingDoNotMatterWhereverTheyStand(seed: UInt64) throws {
    var source = Source(state: seed &+ 77)
    for raw in Self.addresses(seed) {
      guard let address = EmailAddress(raw) else { continue }
      var scalars = Array(raw.precomposedStringWithCanonicalMapping.unicodeScalars)
      for _ in 0...source.next(3) {
        scalars.insert(Self.invisible[source.next(Self.invisible.count)], at: source.next(scalars.count + 1))
      }
      let marked = String(String.UnicodeScalarView(scalars))
      #expect(EmailAddress(marked) == address, "\(marked.debugDescription)")
      #expect(EmailAddress(marked)?.written != address.written, "it tells that it was written otherwise")
    }
  }

  @Test(arguments: [
    "\u{202A}ana@example.com\u{202C}", "\u{200F}ana@example.com", "ana@example.com\u{200E}",
    "\u{2066}ana@example.com\u{2069}", "\u{2067}ana\u{2068}@example.com", "an\u{200D}a@example.com",
    "an\u{200B}a@exa\u{00AD}mple.com", "ana@example\u{2060}.com", "ana\u{FEFF}@\u{FEFF}example.com",
    "\u{202A} ana@example.com \u{202C}", "ana@\u{61C}example.com", "a\u{34F}na@example.com", "ana\u{FE0F}@example.com",
  ])
  func aCopiedAddressIsTheAddress(raw: String) {
    #expect(EmailAddress(raw)?.text == "ana@example.com")
    #expect(EmailAddress(raw)?.written?.contains("@") == true)
  }

  @Test(arguments: [
    ("ΝΊΚΟΣ@example.com", "νίκος@example.com"), ("νίκοσ@example.com", "νίκος@example.com"),
    ("\u{212A}im@example.com", "kim@example.com"), ("\u{17F}am@example.com", "sam@example.com"),
    ("STRAẞE@example.com", "straße@example.com"), ("\u{212B}sa@example.com", "åsa@example.com"),
    ("ǅ@example.com", "ǆ@example.com"), ("Ꭰ@example.com", "ꭰ@example.com"), ("Ω@example.com", "\u{2126}@example.com"),
  ])
  func lettersAreFoldedOneByOne(one: String, other: String) {
    #expect(EmailAddress(one) == EmailAddress(other))
  }

  @Test(arguments: [
    ("straße@example.com", "strasse@example.com"), ("ıan@example.com", "ian@example.com"),
    ("İan@example.com", "ian@example.com"), ("ﬁn@example.com", "fin@example.com"), ("а@example.com", "a@example.com"),
    ("ana@straße.example", "ana@strasse.example"),
  ])
  func lettersThatOnlyFullFoldingMakesEqualStayTwo(one: String, other: String) {
    #expect(EmailAddress(one) != nil && EmailAddress(one) != EmailAddress(other))
  }

  @Test func aHashOfRawBytesIsTheNormalFormsOrIsNotGiven() {
    for raw in Self.addresses(4711) + ["ana@example.com.", "ANA@EXAMPLE.COM", "a\u{200D}na@example.com"] {
      guard let address = EmailAddress(raw) else { continue }
      let hash = KeyHash.ofEmail(raw.utf8Span.span)
      #expect(hash == nil || hash == KeyHash.of(address.text), "\(raw)")
      #expect(hash != nil || !raw.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } || raw.hasSuffix("."), "\(raw)")
    }
  }

  @Test(arguments: ["Ana@Example.COM", "  ana@example.com\n", "ana@example.com"])
  func capitalsAndOuterSpaceAreNoOtherWayToWrite(raw: String) {
    #expect(EmailAddress(raw)?.written == nil)
  }

  @Test(arguments: UInt64(0)..<10)
  func caseOfPlainLettersDoesNotMatter(seed: UInt64) {
    for raw in Self.addresses(seed) where raw.utf8.allSatisfy({ $0 < 0x80 }) {
      #expect(EmailAddress(raw.uppercased()) == EmailAddress(raw.lowercased()), "\(raw)")
    }
  }

  @Test(arguments: UInt64(0)..<10)
  func anotherPersonStaysAnother(seed: UInt64) {
    for raw in Self.addresses(seed) {
      guard let address = EmailAddress(raw), let at = address.text.lastIndex(of: "@") else { continue }
      let (local, domain) = (String(address.text[..<at]), String(address.text[at...]))
      #expect(EmailAddress(local + "+news" + domain) != address, "a tag")
      #expect(EmailAddress(local + ".x" + domain) != address, "a dot")
      #expect(EmailAddress(local + "x" + domain) != address)
      let lookAlike = local.replacing("a", with: "а")
      #expect(lookAlike == local || EmailAddress(lookAlike + domain) != address, "a Cyrillic letter: \(raw)")
    }
  }

  @Test(arguments: UInt64(0)..<10)
  func aReferenceKeepsItsCase(seed: UInt64) {
    for raw in Self.addresses(seed) {
      let reference = ExternalSourceID(raw)
      #expect(reference.map { ExternalSourceID($0.text) } == .some(reference), "\(raw)")
      #expect(ExternalSourceID(" \(raw.decomposedStringWithCanonicalMapping)\t") == reference, "\(raw)")
      let upper = raw.uppercased()
      #expect((ExternalSourceID(upper) == reference) == (ExternalSourceID(upper)?.text == reference?.text))
      if raw.utf8.allSatisfy({ $0 < 0x80 }), upper != raw { #expect(ExternalSourceID(upper) != reference, "\(raw)") }
    }
  }
}
