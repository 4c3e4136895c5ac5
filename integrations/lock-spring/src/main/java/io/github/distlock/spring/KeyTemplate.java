package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.context.expression.MethodBasedEvaluationContext;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.expression.BeanResolver;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.Expression;
import org.springframework.expression.ParseException;
import org.springframework.expression.ParserContext;
import org.springframework.expression.common.CompositeStringExpression;
import org.springframework.expression.common.LiteralExpression;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.CompoundExpression;
import org.springframework.expression.spel.ast.Indexer;
import org.springframework.expression.spel.ast.InlineMap;
import org.springframework.expression.spel.ast.Projection;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.Selection;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.StringUtils;

/**
 * The keys of a method: literal text, and SpEL inside <code>#{…}</code>.
 *
 * <p>A key that is the same for all calls by mistake makes all of them exclude each other. So a {@code #} outside of an
 * expression is refused, as is a variable that the method does not have, and an expression without a text throws.
 * Spring itself would leave out what is null.
 */
final class KeyTemplate {
    private static final SpelExpressionParser PARSER = new SpelExpressionParser();
    private static final ParameterNameDiscoverer NAMES = new DefaultParameterNameDiscoverer();
    private static final Set<String> KNOWN_TO_SPEL = Set.of("root", "this");

    /** In these, a name is a property of an element, or the key of a map. */
    private static final Set<Class<?>> HAVE_OWN_PROPERTIES =
            Set.of(Projection.class, Selection.class, Indexer.class, InlineMap.class);

    private final Method method;
    private final List<List<Expression>> keys;
    private final BeanResolver beans;

    /**
     * The literal text of a key before its first expression.
     *
     * @param isWhole whether the key has no expression
     */
    record Literal(String text, boolean isWhole) {
        boolean begins(String lockName) {
            return isWhole ? lockName.equals(text) : lockName.startsWith(text);
        }
    }

    private KeyTemplate(Method method, List<List<Expression>> keys, BeanResolver beans) {
        this.method = method;
        this.keys = keys;
        this.beans = beans;
    }

    /**
     * Reads the keys.
     *
     * @param type the bean's class
     * @param texts one for each key, with their placeholders resolved
     * @throws IllegalStateException if one has a mistake
     */
    static KeyTemplate parse(Method method, Class<?> type, List<String> texts, BeanFactory beans) {
        if (texts.isEmpty()) {
            throw LockAnnotations.refusal(method, "key is missing");
        }
        return new KeyTemplate(
                method, texts.stream().map(text -> parts(method, type, text)).toList(), new BeanFactoryResolver(beans));
    }

    private static List<Expression> parts(Method method, Class<?> type, String text) {
        if (text.isBlank()) {
            throw LockAnnotations.refusal(method, "key is blank");
        }
        Expression key;
        try {
            key = PARSER.parseExpression(text, ParserContext.TEMPLATE_EXPRESSION);
        } catch (ParseException e) {
            throw LockAnnotations.refusal(method, "key \"" + text + "\" is not valid: " + e.getMessage());
        }
        List<Expression> parts =
                key instanceof CompositeStringExpression composite ? List.of(composite.getExpressions()) : List.of(key);
        for (Expression part : parts) {
            if (part instanceof LiteralExpression literal) {
                checkLiteral(method, text, literal.getExpressionString());
            } else if (part instanceof SpelExpression expression) {
                checkVariables(method, text, expression.getAST());
                checkProperties(method, type, text, expression.getAST());
            }
        }
        return parts;
    }

    private static void checkLiteral(Method method, String text, String literal) {
        int number = literal.indexOf('#');
        if (number >= 0) {
            String name = literal.substring(number + 1).split("\\W", 2)[0];
            throw LockAnnotations.refusal(
                    method,
                    "key \"" + text + "\" has a # outside of #{…}, which would be the same lock for all calls;"
                            + " write #{#" + (name.isEmpty() ? "id" : name) + "}");
        }
    }

    private static void checkVariables(Method method, String text, SpelNode node) {
        if (node instanceof VariableReference reference) {
            String name = reference.toStringAST().substring(1);
            if (!known(method).anyMatch(name::equals)) {
                throw LockAnnotations.refusal(method, "key \"" + text + "\" uses #" + name + ", " + whyUnknown(method));
            }
        }
        for (int i = 0; i < node.getChildCount(); i++) {
            checkVariables(method, text, node.getChild(i));
        }
    }

    /** A property at the beginning of an expression is one of the bean. Parameters without their # look the same. */
    private static void checkProperties(Method method, Class<?> type, String text, SpelNode node) {
        if (node instanceof PropertyOrFieldReference reference) {
            String name = reference.getName();
            if (names(method).anyMatch(name::equals) || !hasProperty(type, name)) {
                throw LockAnnotations.refusal(
                        method,
                        "key \"" + text + "\" uses " + name
                                + " without #, which means a property of the bean; write #{#" + name
                                + "} for the parameter, or #{#root." + name + "} for the property");
            }
        } else if (!HAVE_OWN_PROPERTIES.contains(node.getClass())) {
            boolean isPath = node instanceof CompoundExpression;
            for (int i = 0; i < node.getChildCount(); i++) {
                if (i == 0 || !isPath || !(node.getChild(i) instanceof PropertyOrFieldReference)) {
                    checkProperties(method, type, text, node.getChild(i));
                }
            }
        }
    }

    private static boolean hasProperty(Class<?> type, String name) {
        return ReflectionUtils.findField(type, name) != null
                || Stream.of("get", "is")
                        .map(prefix -> ReflectionUtils.findMethod(type, prefix + StringUtils.capitalize(name)))
                        .anyMatch(Objects::nonNull);
    }

    private static Stream<String> known(Method method) {
        Stream<String> numbers =
                IntStream.range(0, method.getParameterCount()).boxed().flatMap(i -> Stream.of("a" + i, "p" + i));
        return Stream.of(names(method), KNOWN_TO_SPEL.stream(), numbers).flatMap(known -> known);
    }

    private static Stream<String> names(Method method) {
        @Nullable String @Nullable [] names = NAMES.getParameterNames(method);
        return names == null ? Stream.empty() : Arrays.stream(names);
    }

    private static String whyUnknown(Method method) {
        Set<String> names = names(method).collect(Collectors.toCollection(TreeSet::new));
        if (names.isEmpty() && method.getParameterCount() > 0) {
            return "but its class was compiled without the names of parameters; compile it with -parameters,"
                    + " or write #p0 for the first parameter";
        }
        return "but the method has the parameters " + names;
    }

    /** Returns the literal beginnings of the keys. */
    Stream<Literal> literals() {
        return keys.stream().map(parts -> {
            boolean isLiteral = parts.get(0) instanceof LiteralExpression;
            return new Literal(isLiteral ? parts.get(0).getExpressionString() : "", isLiteral && parts.size() == 1);
        });
    }

    /**
     * Returns the names that one call locks.
     *
     * @throws IllegalStateException if an expression results in null or blank text
     */
    List<String> names(@Nullable Object bean, @Nullable Object[] arguments) {
        MethodBasedEvaluationContext context =
                new MethodBasedEvaluationContext(bean == null ? method : bean, method, arguments, NAMES);
        context.setBeanResolver(beans);
        return keys.stream().map(parts -> name(parts, context)).toList();
    }

    private String name(List<Expression> parts, EvaluationContext context) {
        return parts.stream().map(part -> text(part, context)).collect(Collectors.joining());
    }

    private String text(Expression part, EvaluationContext context) {
        String text = part.getValue(context, String.class);
        if (!(part instanceof LiteralExpression) && (text == null || text.isBlank())) {
            throw LockAnnotations.refusal(
                    method, "#{" + part.getExpressionString() + "} in its key is " + (text == null ? "null" : "blank"));
        }
        return String.valueOf(text);
    }
}
