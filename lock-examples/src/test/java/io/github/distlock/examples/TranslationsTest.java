package io.github.distlock.examples;

import static io.github.distlock.examples.Pages.ROOT;
import static io.github.distlock.examples.Pages.read;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.examples.Pages.Snippet;
import io.github.distlock.examples.Pages.Translation;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The Chinese pages follow the English ones, and keep to one set of terms.
 *
 * <p>The first line of a translation names its original, and the revision of the original that it follows. A commit
 * cannot contain its own id, so the revision is the id of the original's text, as {@code git hash-object} prints it.
 */
class TranslationsTest {
    private static final Pattern HEADING = Pattern.compile("^(#+) ", Pattern.MULTILINE);
    private static final Pattern FIGURE = Pattern.compile("\\d{1,3}(,\\d{3})+|\\d+\\.\\d+|\\d{3,}");
    private static final Pattern CODE = Pattern.compile("`[^`\\n]+`");
    private static final Pattern MARKUP = Pattern.compile("<!--.*?-->|\\]\\([^)]*\\)|!?\\[|\\*");

    private static final Pattern OTHER_TERM =
            Pattern.compile("取得锁|抢占锁|握有|手柄|租赁|栅栏令牌|屏蔽令牌|击剑令牌|繁忙|交棒|许可证|信号灯|合同测试|惊群|RedLock|您");
    private static final Pattern BAD_SETTING = Pattern.compile("\\p{IsHan}[,;:!?()]|[,;:!?(]\\p{IsHan}"
            + "|\\p{IsHan}\\p{Alnum}|[\\p{Alnum}%]\\p{IsHan}|[，。；：！？、（）「」] (?!\\|)| [，。；：！？、）」]");

    @Test
    void api_eachTranslationFollowsItsOriginal() {
        List<String> stale = new ArrayList<>();
        for (Translation translation : Pages.translations()) {
            Path original = ROOT.relativize(translation.original());
            String revision = revision(read(translation.original()));
            if (!revision.equals(translation.revision())) {
                stale.add("""
                        %s follows an earlier %s.
                        To see the changes: git diff %s %s
                        Translate them, and then write this into its first line: <!-- %s %s -->
                        """.formatted(
                                ROOT.relativize(translation.page()),
                                original,
                                translation.revision(),
                                original,
                                original,
                                revision));
            }
        }

        assertEquals(List.of(), stale);
        assertFalse(Pages.translations().isEmpty());
    }

    @Test
    void api_aRevisionIsWhatGitSays() {
        assertEquals("e965047ad7c57865823c7d992b1d046ea66edf78", revision("Hello\n"));
    }

    @Test
    void api_aTranslationHasTheCodeOfItsOriginal() {
        for (Translation translation : Pages.translations()) {
            Iterator<Snippet> code = Pages.snippets(translation.page()).iterator();
            for (Snippet original : Pages.snippets(translation.original())) {
                String missing = ROOT.relativize(translation.page()) + " lacks, or has in another order: " + original;
                boolean found = false;
                while (!found) {
                    assertTrue(code.hasNext(), missing);
                    found = code.next().text().equals(original.text());
                }
            }
        }
    }

    @Test
    void api_aTranslationHasTheSectionsOfItsOriginal() {
        for (Translation translation : Pages.translations()) {
            assertEquals(
                    sections(translation.original()),
                    sections(translation.page()),
                    () -> ROOT.relativize(translation.page()) + " has other sections than its original");
        }
    }

    @Test
    void api_chinesePagesUseTheTermsOfTheGlossary() {
        assertEquals(List.of(), found(OTHER_TERM));
    }

    @Test
    void api_chineseTextHasFullWidthPunctuationAndSpacesBesideLatinText() {
        assertEquals(List.of(), found(BAD_SETTING));
    }

    /** These pages take their figures from others, which are measured again. */
    @ParameterizedTest
    @ValueSource(strings = {"docs/zh-CN/faq.md", "docs/redis-or-zookeeper.md"})
    void api_theFiguresOfTheAnswersAreOnThePagesThatTheyLink(String page) {
        Path answers = ROOT.resolve(page);
        String linked = Pages.links(answers).stream()
                .map(link -> link.replaceFirst("#.*", ""))
                .distinct()
                .map(answers::resolveSibling)
                .filter(target -> target.toString().endsWith(".md"))
                .map(Pages::read)
                .collect(joining());

        List<String> figures =
                FIGURE.matcher(text(answers)).results().map(MatchResult::group).toList();

        assertFalse(figures.isEmpty());
        assertEquals(
                List.of(),
                figures.stream()
                        .filter(figure -> !Pattern.compile("(?<![\\d.,])" + Pattern.quote(figure) + "(?![\\d,]|\\.\\d)")
                                .matcher(linked)
                                .find())
                        .toList(),
                "figures of " + page + " that none of its pages has any more");
    }

    private static List<String> found(Pattern fault) {
        List<String> found = new ArrayList<>();
        for (Path page : Pages.all()) {
            if (ROOT.relativize(page).toString().contains("zh-CN")) {
                text(page)
                        .lines()
                        .filter(line -> fault.matcher(line).find())
                        .forEach(line -> found.add(ROOT.relativize(page) + ": " + line));
            }
        }
        return found;
    }

    /** What readers see of a page, with a word in place of code. */
    private static String text(Path page) {
        String withoutCode = CODE.matcher(Pages.withoutBlocks(page)).replaceAll("code");
        return MARKUP.matcher(withoutCode).replaceAll("");
    }

    private static List<Integer> sections(Path page) {
        return HEADING.matcher(Pages.withoutBlocks(page))
                .results()
                .map(found -> found.group(1).length())
                .toList();
    }

    private static String revision(String text) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-1");
            digest.update(("blob " + text.getBytes(UTF_8).length + "\0").getBytes(UTF_8));
            return HexFormat.of().formatHex(digest.digest(text.getBytes(UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
