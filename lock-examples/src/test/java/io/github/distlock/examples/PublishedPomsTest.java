package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

/** What Maven Central asks of each POM, and the list of artifacts in the BOM. */
class PublishedPomsTest {
    private static final List<String> OWN = List.of("name", "description");

    private static final List<String> OWN_OR_INHERITED = List.of(
            "url",
            "licenses/license/name",
            "licenses/license/url",
            "developers/developer/name",
            "scm/connection",
            "scm/developerConnection",
            "scm/url");

    private static final BuildModule PARENT = BuildModule.named("distlock-parent");
    private static final BuildModule BOM = BuildModule.named("lock-bom");

    @Test
    void eachPublishedModuleHasWhatMavenCentralAsksFor() {
        List<String> missing = BuildModule.published().stream()
                .flatMap(module -> Stream.concat(
                                OWN.stream().filter(path -> module.text(path).isEmpty()),
                                OWN_OR_INHERITED.stream()
                                        .filter(path -> module.inherited(path).isEmpty()))
                        .map(path -> module.artifact() + ": " + path))
                .toList();

        assertEquals(List.of(), missing);
    }

    /** Maven appends the path of a module to an address that it inherits, and no forge has such pages. */
    @Test
    void noModuleAppendsItsPathToTheAddressOfTheProject() {
        Element scm = PARENT.element("scm").orElseThrow();

        assertEquals("false", PARENT.pom().getAttribute("child.project.url.inherit.append.path"));
        for (String address : List.of("connection", "developerConnection", "url")) {
            assertEquals("false", scm.getAttribute("child.scm." + address + ".inherit.append.path"), address);
        }
    }

    /** The BOM has no parent: whoever imports it would also import the versions which the parent manages. */
    @Test
    void theBomHasTheAddressesOfTheParent() {
        for (String path : OWN_OR_INHERITED) {
            assertEquals(PARENT.text(path), BOM.text(path), path);
        }
        assertEquals(PARENT.text("properties/lock.home"), BOM.text("properties/lock.home"));
        assertEquals(PARENT.text("version"), BOM.text("version"));
    }

    @Test
    void theBomListsExactlyThePublishedJars() {
        List<String> jars = BuildModule.published().stream()
                .filter(BuildModule::isJar)
                .map(BuildModule::artifact)
                .sorted()
                .toList();

        List<String> listed = BuildModule.children(
                        BOM.element("dependencyManagement/dependencies").orElseThrow(), "dependency")
                .map(dependency -> BuildModule.children(dependency, "artifactId")
                        .map(Element::getTextContent)
                        .findAny()
                        .orElseThrow())
                .sorted()
                .toList();

        assertEquals(jars, listed);
    }
}
