import Foundation

/// An e-mail address in the one normal form in which addresses are compared: invisible characters taken out, the local
/// part by simple case folding and Unicode NFC, the domain in its ASCII form (IDNA, RFC 5891).
///
/// No dots or plus tags are taken away and no look-alikes are folded: `a+news@` may be another person than `a@`,
/// and a Cyrillic `а` is another letter. A wrong match is money to the wrong person.
public struct EmailAddress: Sendable, Codable, CustomStringConvertible {
  /// The longest, in bytes (RFC 3696, erratum 1690: 64 for the local part, 255 for the domain, and the sign).
  private static let bytesMax = 320

  /// The normal form.
  public let text: String
  /// The address as it was written, but for white space around it and the case of ASCII letters; nil where that is the
  /// normal form. Two that differ here are one address by invisible marks, folded letters or IDNA alone.
  public let written: String?

  /// Wraps a normal form that was made before.
  public init(normalForm text: String) { self.init(normalForm: text, written: nil) }

  /// Wraps a normal form that was made before, with the way it was written where that differs.
  public init(normalForm text: String, written: String?) {
    self.text = text
    self.written = written
  }

  /// Makes the normal form; nil for what is no address (nothing before or after the last `@`, inner white space or
  /// control characters, more than 320 bytes).
  public init?(_ raw: String) {
    if let text = Self.plain(raw) {
      self.init(normalForm: text)
      return
    }
    guard let shown = NormalForm.trimmed(NormalForm.visible(raw)), let text = Self.normalForm(shown) else { return nil }
    let written = NormalForm.asciiLowercased(NormalForm.withoutOuterSpace(raw))
    self.init(normalForm: text, written: written == text ? nil : written)
  }

  private static func normalForm(_ shown: String) -> String? {
    guard let at = shown.lastIndex(of: "@"), at != shown.startIndex,
      let domain = asciiDomain(shown[shown.index(after: at)...])
    else { return nil }
    let text = NormalForm.folded(shown[..<at]) + "@" + domain
    guard text.utf8.count <= bytesMax, !text.unicodeScalars.contains(where: isForbidden) else { return nil }
    return text
  }

  /// Returns the normal form of a plain address, as almost every one is, by one look at its bytes; nil for any other.
  private static func plain(_ raw: String) -> String? {
    let bytes = raw.utf8Span.span
    guard bytes.count > 2, bytes.count <= bytesMax else { return nil }
    var (ats, previous, isLower) = (0, UInt8(0), true)
    for index in bytes.indices {
      let byte = bytes[index]
      guard byte > 0x20, byte < 0x7f else { return nil }
      if byte == UInt8(ascii: "@") { ats += 1 }
      // An empty label, or none before or after the @: `normalForm(_:)` judges it.
      let ends = byte == UInt8(ascii: ".") || byte == UInt8(ascii: "@")
      if ends, previous == 0 || previous == UInt8(ascii: ".") || previous == UInt8(ascii: "@") { return nil }
      if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { isLower = false }
      previous = byte
    }
    guard ats == 1, previous != UInt8(ascii: "."), previous != UInt8(ascii: "@") else { return nil }
    return isLower ? raw : raw.lowercased()
  }

  /// The normal form's text. For a log, use `masked`.
  public var description: String { text }

  /// The first letter and the domain, such as `a***@example.com`: enough to recognise, too little to write to.
  public var masked: String {
    guard let at = text.lastIndex(of: "@"), let first = text.first else { return "***" }
    return "\(first)***\(text[at...])"
  }

  /// The local part, and the domain in ASCII.
  var parts: (local: Substring, domain: Substring) {
    let at = text.lastIndex(of: "@") ?? text.endIndex
    return (text[..<at], text[at...].dropFirst())
  }

  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
  }

  /// Returns the domain in ASCII, without a trailing dot (RFC 1034, 3.1: the root's); nil where it is empty or IDNA
  /// refuses it.
  private static func asciiDomain(_ domain: Substring) -> String? {
    let bare = domain.last == "." ? domain.dropLast() : domain
    let labels = bare.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.allSatisfy({ !$0.isEmpty }) else { return nil }
    guard !bare.utf8.allSatisfy({ $0 < 0x80 }) else { return bare.lowercased() }
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

extension EmailAddress: Hashable {
  /// True if both are one address, however either was written.
  public static func == (left: Self, right: Self) -> Bool { left.text == right.text }

  /// Takes in the normal form alone.
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
