internal import Foundation

/// Referrals to begin with, as `{ "referrals": [ { … } ] }`.
public struct SandboxSeed: Sendable {
  /// The referrals, in the order of the document.
  public let referrals: [SandboxReferral]

  /// A mistake in a seed, and its place.
  public struct Issue: Sendable, Hashable, CustomStringConvertible {
    /// The place: `referrals[3].createdAt`, or `line 7, column 12` of what is no JSON.
    public let place: String
    /// The mistake there.
    public let message: String

    /// `place: message`.
    public var description: String { "\(place): \(message)" }
  }

  /// Every mistake of a seed.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    /// The mistakes, in the order of the document.
    public let issues: [Issue]

    /// One mistake a line.
    public var description: String { issues.map(\.description).joined(separator: "\n") }
  }

  /// Reads a seed file.
  ///
  /// - Throws: `Failure` with every mistake; one without a place where the file can't be read.
  public init(file: String) throws(Failure) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: file))
    } catch {
      throw Failure(issues: [Issue(place: file, message: "The file can't be read")])
    }
    try self.init(json: Array(data))
  }

  /// Reads a seed; a referral without a partner belongs to the default key's, or the first by name.
  ///
  /// - Throws: `Failure` with every mistake.
  public init(json: [UInt8]) throws(Failure) {
    let document: SandboxJSON
    do {
      document = try JSONReader.read(json)
    } catch {
      let (line, column) = Self.position(error.offset, in: json)
      throw Failure(issues: [Issue(place: "line \(line), column \(column)", message: error.reason)])
    }
    guard let members = document.members, let elements = document["referrals"]?.elements else {
      throw Failure(issues: [Issue(place: "referrals", message: "An object with a list \"referrals\" is expected")])
    }
    var issues = members.filter { $0.name != "referrals" }.map { Issue(place: $0.name, message: "Unknown field") }
    var referrals: [SandboxReferral] = []
    for (index, element) in elements.enumerated() {
      guard let fields = element.members else {
        issues.append(Issue(place: "referrals[\(index)]", message: "Must be an object"))
        continue
      }
      var mistakes: [FieldIssue] = []
      referrals.append(ReferralDocument.read(fields, over: SandboxReferral(), issues: &mistakes))
      issues += mistakes.map { Issue(place: "referrals[\(index)].\($0.field)", message: $0.message) }
    }
    guard issues.isEmpty else { throw Failure(issues: issues) }
    issues = SeedUniqueness.clashes(in: referrals).map { index, field, first in
      Issue(place: "referrals[\(index)].\(field)", message: "The same as in referrals[\(first)]")
    }
    guard issues.isEmpty else { throw Failure(issues: issues) }
    self.referrals = referrals
  }

  private static func position(_ offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
    let before = bytes.prefix(offset)
    let line = before.count { $0 == 0x0A } + 1
    let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
    return (line, column)
  }
}
