/// An address in its usual text form; the short and octal forms that inet_aton(3) takes are not read.
public enum IPAddress: Hashable, Sendable {
  /// The four bytes of an IPv4 address.
  case v4([UInt8])
  /// The eight groups of an IPv6 address.
  case v6([UInt16])

  /// Reads an address, IPv6 without brackets; nil for anything else.
  public init?(_ text: String) {
    if let bytes = Self.v4Bytes(text) {
      self = .v4(bytes)
    } else if let groups = Self.v6Groups(text) {
      self = .v6(groups)
    } else {
      return nil
    }
  }

  /// True if it is in 127.0.0.0/8 (RFC 1122, 3.2.1.3) or ::1 (RFC 4291, 2.5.3).
  public var isLoopback: Bool {
    switch self {
    case .v4(let bytes): bytes[0] == 127
    case .v6(let groups): groups.dropLast().allSatisfy { $0 == 0 } && groups[7] == 1
    }
  }

  /// Reads a port from 1 to 65535 in plain digits; nil for anything else.
  public static func port(_ text: Substring) -> UInt16? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt16(text).flatMap { $0 == 0 ? nil : $0 }
  }

  private static func v4Bytes(_ text: String) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let bytes = parts.compactMap { part -> UInt8? in
      guard (1...3).contains(part.utf8.count), part == "0" || part.first != "0" else { return nil }
      return part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt8(part) : nil
    }
    return bytes.count == 4 ? bytes : nil
  }

  private static func v6Groups(_ text: String) -> [UInt16]? {
    guard text.contains(":"), text.utf8.count <= 39 else { return nil }
    guard let gap = text.firstRange(of: "::") else {
      let groups = Self.groups(text[...])
      return groups?.count == 8 ? groups : nil
    }
    guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]) else { return nil }
    guard head.count + tail.count <= 7 else { return nil }
    return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
  }

  private static func groups(_ text: Substring) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    var groups: [UInt16] = []
    for part in text.split(separator: ":", omittingEmptySubsequences: false) {
      guard (1...4).contains(part.utf8.count), part.allSatisfy({ $0.isHexDigit && $0.isASCII }) else { return nil }
      guard let group = UInt16(part, radix: 16) else { return nil }
      groups.append(group)
    }
    return groups
  }
}
