import Foundation
import Glibc
import Testing

@testable import Systemd

@Suite struct ServiceEnvironmentTests {
  @Test func theStreamIsToldByDeviceAndInode() throws {
    var status = stat()
    try #require(unsafe fstat(0, &status) == 0)
    let name = "\(status.st_dev):\(status.st_ino)"
    let contains = { (value: String?) in
      JournalStream.contains(descriptor: 0, environment: value.map { ["JOURNAL_STREAM": $0] } ?? [:])
    }
    #expect(contains(name))
    #expect(!contains("\(status.st_dev):\(status.st_ino + 1)") && !contains("\(status.st_dev + 1):\(status.st_ino)"))
    for other in ["", ":", "1", "a:b", "-1:1", name + ":1", nil] { #expect(!contains(other)) }
    #expect(!JournalStream.contains(descriptor: -1, environment: ["JOURNAL_STREAM": name]))
  }

  @Test func credentialsAreInTheirDirectory() {
    let given = ["CREDENTIALS_DIRECTORY": "/run/credentials/conversiond.service"]
    #expect(Credentials.directory(environment: given) == "/run/credentials/conversiond.service")
    #expect(Credentials.path(of: "api-key", environment: given) == "/run/credentials/conversiond.service/api-key")
    #expect(Credentials.directory(environment: [:]) == nil && Credentials.path(of: "api-key", environment: [:]) == nil)
    #expect(Credentials.directory(environment: ["CREDENTIALS_DIRECTORY": "run"]) == nil)
    for name in ["", ".", "..", "a/b", "/etc/shadow"] { #expect(Credentials.path(of: name, environment: given) == nil) }
  }
}
