import Foundation
import Testing

@testable import Configuration

@Suite struct ConfigurationFileTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "conversiond-\(UUID().uuidString)")

  private func said(_ bytes: Data?, name: String = "c.yaml") throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    try bytes?.write(to: file)
    switch ConfigurationReader.read(file: file.path) {
    case .success: return "read"
    case .failure(let error): return error.description.replacing(folder.path, with: "")
    }
  }

  @Test func aGoodFileIsRead() throws {
    #expect(try said(Data(Sample.full.utf8)) == "read")
    #expect(try said(Data([0xEF, 0xBB, 0xBF] + Sample.full.utf8)) == "read")
  }

  @Test func aFileThatCannotBeReadIsOneLine() throws {
    #expect(try said(nil) == "/c.yaml: there is no such file; name another one with --config")
    #expect(try said(nil, name: "").hasSuffix("is a directory; name the file in it"))
    #expect(ConfigurationReader.read(file: "/dev/zero").failure == "/dev/zero: is not a regular file")
    #expect(ConfigurationReader.read(file: "/dev/null/x").failure?.hasPrefix("/dev/null/x: ") == true)
  }

  /// Files of /proc/sys without a read bit are refused to root, too, although permissions do not bind root elsewhere.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: ConfigurationFileTests.writeOnly)))
  func permissionIsToldFromAbsence() {
    let line = "\(Self.writeOnly): permission denied; the file should be readable by the daemon's user (mode 0644)"
    #expect(ConfigurationReader.read(file: Self.writeOnly).failure == line)
  }

  fileprivate static let writeOnly = "/proc/sys/net/ipv4/route/flush"

  @Test func bytesThatAreNoTextHaveTheirPlace() throws {
    let latin = Data("orders:\n  from: caf".utf8) + [0xE9, 0x0A]
    #expect(try said(latin) == "/c.yaml:2:12: not UTF-8; save the file as UTF-8")
    #expect(try said(Data([0xFF, 0xFE, 0x6F, 0x00])) == "/c.yaml:1:1: not UTF-8; save the file as UTF-8")
  }

  @Test func aHugeFileIsRefused() throws {
    let line = "/c.yaml:1:1: larger than 1 MiB; this is no configuration"
    #expect(try said(Data(repeating: 0x23, count: (1 << 20) + 1)) == line)
    #expect(
      try said(Data(Sample.full.utf8) + Data(repeating: 0x23, count: (1 << 20) - Sample.full.utf8.count)) == "read")
  }
}

extension Result where Failure == ConfigurationError {
  fileprivate var failure: String? {
    if case .failure(let error) = self { error.description } else { nil }
  }
}
