package io.github.distlock.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** A module of this build, and the root element of its POM. */
record BuildModule(Path directory, Element pom) {
    private static final List<BuildModule> ALL = read();

    /** Looks into no other directory, because other modules are built at the same time. */
    private static List<BuildModule> read() {
        BuildModule root = of(Pages.ROOT.resolve("pom.xml"));
        Stream<BuildModule> modules = children(root.element("modules").orElseThrow(), "module")
                .map(module ->
                        of(Pages.ROOT.resolve(module.getTextContent().strip()).resolve("pom.xml")));
        return Stream.concat(Stream.of(root), modules).toList();
    }

    static List<BuildModule> published() {
        return ALL.stream()
                .filter(module -> !module.text("properties/maven.deploy.skip").equals("true"))
                .toList();
    }

    static BuildModule named(String artifact) {
        return ALL.stream()
                .filter(module -> module.artifact().equals(artifact))
                .findAny()
                .orElseThrow();
    }

    private static BuildModule of(Path file) {
        try {
            Element pom = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(file.toFile())
                    .getDocumentElement();
            return new BuildModule(file.getParent(), pom);
        } catch (IOException | ParserConfigurationException | SAXException e) {
            throw new IllegalStateException("cannot read " + file, e);
        }
    }

    String artifact() {
        return text("artifactId");
    }

    boolean isJar() {
        String packaging = text("packaging");
        return packaging.isEmpty() || packaging.equals("jar");
    }

    /** Returns the text of an element such as {@code scm/url}, or an empty string. */
    String text(String path) {
        return element(path).map(Element::getTextContent).map(String::strip).orElse("");
    }

    /** Returns the text of an element of this POM, or of the nearest parent that has it. */
    String inherited(String path) {
        String text = text(path);
        String parent = text("parent/artifactId");
        return text.isEmpty() && !parent.isEmpty() ? named(parent).inherited(path) : text;
    }

    Optional<Element> element(String path) {
        Optional<Element> found = Optional.of(pom);
        for (String name : path.split("/", -1)) {
            found = found.flatMap(element -> children(element, name).findFirst());
        }
        return found;
    }

    static Stream<Element> children(Element element, String name) {
        NodeList nodes = element.getChildNodes();
        return IntStream.range(0, nodes.getLength())
                .mapToObj(nodes::item)
                .filter(node -> node instanceof Element && node.getNodeName().equals(name))
                .map(Element.class::cast);
    }
}
