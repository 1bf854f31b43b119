import Conversions
import Foundation
import Testing

/// What must hold of normal forms whatever is brought to them: a friend's address is written in many ways, and two
/// people's in similar ones.
@Suite struct NormalFormPropertyTests {
  /// Letters that normal forms treat in ways of their own, and some that they don't.
  private static let letters: [Character] = Array("aAbZzsSkK019.+-_äÄßİıéÉеКåÅﬁ中ﾊ")
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
