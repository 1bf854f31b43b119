import Foundation

/// An e-mail address in the one normal form in which addresses are compared: trimmed, lower-cased, Unicode NFC,
/// the domain in its ASCII form (IDNA, RFC 5891).
///
/// No dots or plus tags are taken away and no look-alikes are folded: `a+news@` may be another person than `a@`,
/// and a Cyrillic `а` is another letter. A wrong match is money to the wrong person.
public struct EmailAddress: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The normal form.
  public let text: String

  /// Makes the normal form; nil for what is no address (nothing before or after the last `@`, inner white space or
  /// control characters, more than 320 bytes).
  public init?(_ raw: String) {
    guard let trimmed = NormalForm.trimmed(raw) else { return nil }
    let lowered = trimmed.lowercased()
    // Lower-casing can leave NFC (U+0130 gives a dot above), so it comes first and NFC again after it.
    let text = lowered.utf8.allSatisfy { $0 < 0x80 } ? lowered : lowered.precomposedStringWithCanonicalMapping
    guard let at = text.lastIndex(of: "@"), at != text.startIndex else { return nil }
    guard let domain = Self.asciiDomain(text[text.index(after: at)...]) else { return nil }
    let result = text[..<at] + "@" + domain
    guard result.utf8.count <= 320, !result.unicodeScalars.contains(where: Self.isForbidden) else { return nil }
    self.text = String(result)
  }

  /// The normal form's text. For a log, use `masked`.
  public var description: String { text }

  /// The first letter and the domain, such as `a***@example.com`: enough to recognise, too little to write to.
  public var masked: String {
    guard let at = text.lastIndex(of: "@"), let first = text.first else { return "***" }
    return "\(first)***\(text[at...])"
  }

  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
  }

  /// The domain in ASCII, without a trailing dot (RFC 1034, 3.1: the root's); nil where it is empty or IDNA refuses it.
  private static func asciiDomain(_ domain: Substring) -> String? {
    let bare = domain.last == "." ? domain.dropLast() : domain
    let labels = bare.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.allSatisfy({ !$0.isEmpty }) else { return nil }
    guard !bare.utf8.allSatisfy({ $0 < 0x80 }) else { return String(bare) }
    // Foundation's URLs apply UTS 46 to hosts; the characters it would read as the end of a host are refused first.
    guard !bare.contains(where: { "/?#:[]%\\ ".contains($0) }) else { return nil }
    var address = URLComponents()
    address.host = String(bare)
    guard let host = address.encodedHost, !host.isEmpty,
      host.utf8.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "%") })
    else { return nil }
    return host.lowercased()
  }
}
