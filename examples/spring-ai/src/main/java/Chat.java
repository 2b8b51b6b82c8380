import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.annotation.ToolParam;

/// Talks to a running `./mixtral serve` through Spring AI.
public final class Chat {
    private static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    /// What the model may call.
    public static final class Weather {
        @Tool(name = "get_weather", description = "Weather of a city")
        public String weather(@ToolParam(description = "the city") String city) {
            System.out.println("get_weather was called for " + city);
            return "{\"sky\": \"sunny\", \"degrees\": 20}";
        }
    }

    public static void main(String[] args) {
        OpenAiChatModel model = OpenAiChatModel.builder()
                .options(OpenAiChatOptions.builder()
                        .baseUrl(setting("MIXTRAL_URL", "http://127.0.0.1:8080") + "/v1")
                        .apiKey(setting("MIXTRAL_API_KEY", "none"))
                        .model(setting("MIXTRAL_MODEL", "mixtral-tiny"))
                        .temperature(0.0)
                        .build())
                .build();
        ChatClient client = ChatClient.create(model);

        System.out.println(client.prompt("Name the language: He comprado tres cartas en el restaurante.")
                .call()
                .content());

        client.prompt("Madrid is the capital of which country?")
                .stream()
                .content()
                .doOnNext(System.out::print)
                .blockLast();
        System.out.println();

        System.out.println(client.prompt("What is the weather in Vienna?")
                .tools(new Weather())
                .call()
                .content());
    }
}
